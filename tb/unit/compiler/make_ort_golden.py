#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logits of the shipped network on the first 20 test images, by ONNX Runtime: build/venv/bin/python tb/unit/compiler/make_ort_golden.py"""
import gzip
import pathlib

import numpy as np
import onnxruntime

here = pathlib.Path(__file__).resolve().parent
networks = here.parents[2] / "sw" / "networks"
raw = gzip.decompress((networks / "data" / "test-images.idx.gz").read_bytes())
images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:20]
session = onnxruntime.InferenceSession(str(networks / "mnist_mlp.onnx"), providers=["CPUExecutionProvider"])
logits = session.run(None, {session.get_inputs()[0].name: images.astype(np.float32) / 255})[0]
np.savetxt(here / "mnist_mlp_ort.txt", logits, "%.6f", header=f"made by make_ort_golden.py, ONNX Runtime {onnxruntime.__version__}; one image a line")
