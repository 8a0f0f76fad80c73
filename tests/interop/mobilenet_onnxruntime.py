#!/usr/bin/env python3
"""Milliseconds that ONNX Runtime takes for one image of an ONNX model, on one thread: to set our engine beside.

usage: mobilenet_onnxruntime.py MODEL.onnx   (needs the package onnxruntime; prints the median of CPU times)
"""

import statistics
import sys
import time

import numpy
import onnxruntime

ROUNDS = 40


def main():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    declared = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in declared.shape]
    image = numpy.random.default_rng(1).random(shape, numpy.float32)
    times = []
    for turn in range(ROUNDS + 5):
        start = time.process_time()
        session.run(None, {declared.name: image})
        if turn >= 5:  # the first ones warm up
            times.append(1000 * (time.process_time() - start))
    print("%.2f" % statistics.median(times))


if __name__ == "__main__":
    main()
