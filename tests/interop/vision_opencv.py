#!/usr/bin/env python3
"""Compares aibench_generate_data_vision with OpenCV, pixel by pixel, and its speed with OpenCV's.

Needs python3-opencv and NumPy; not part of `make test`. Usage:

    tests/interop/vision_opencv.py [--program bin/aibench_generate_data_vision] [--speed] FOLDER...

Every folder is turned into tensors by the program and, as AIBench's preprocessing does it, by cv2.imread, cv2.resize
with INTER_AREA and numpy.random; exit status 1 if a tensor differs by more than 3/255 anywhere or 0.5/255 on average.
Files of every kind come from the tests:

    AIBENCH_INTEROP_DIR=/tmp/kinds build/release/tests/datagen/test_image
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

SIDE = 224
SMALLER_SIDE = 256
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")


def scaled(photo):
    height, width = photo.shape[:2]
    if height <= width:
        size = (int(width * (SMALLER_SIDE / float(height))), SMALLER_SIDE)
    else:
        size = (SMALLER_SIDE, int(height * (SMALLER_SIDE / float(width))))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def photos(folder):
    return sorted(name for name in os.listdir(folder) if name.lower().endswith(ENDINGS))


def expected(folder, seed, reuse):
    """Yields (name, tensor) as AIBench's script and loader make them."""
    np.random.seed(seed)
    for name in photos(folder):
        photo = cv2.imread(os.path.join(folder, name))
        whole = photo.shape[:2] == (SIDE, SIDE)
        if not whole:
            photo = scaled(photo)
        for _ in range(1 if whole else reuse):
            x = y = 0
            if not whole:
                x = np.random.randint(0, photo.shape[1] - SIDE)
                y = np.random.randint(0, photo.shape[0] - SIDE)
            crop = photo[y:y + SIDE, x:x + SIDE, ::-1]
            yield name, crop.astype(np.float32) / np.float32(255)


def compare(program, folder, seed, reuse):
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "tensors.out")
        subprocess.run([program, "-input-val-dir", folder, "-output-file", out, "-random-seed", str(seed),
                        "-re-use-factor", str(reuse), "-strict"], check=True, stdout=subprocess.DEVNULL)
        made = np.fromfile(out, np.float32).reshape(-1, SIDE, SIDE, 3)
    count = exact = 0
    worst = total = 0.0
    for (name, tensor), ours in zip(expected(folder, seed, reuse), made):
        difference = np.abs(tensor - ours) * 255
        count += 1
        exact += difference.max() == 0
        total += difference.mean()
        worst = max(worst, difference.max())
        if difference.max() > 3 or difference.mean() > 0.5:
            print(f"{name}: differs by {difference.mean():.3f}/255 on average, {difference.max():.0f}/255 at most")
    if count != len(made):
        print(f"{folder}: {len(made)} tensors, {count} expected")
        return False
    print(f"{folder}: seed {seed}, {reuse} crops a photo: {exact} of {count} tensors the same to the bit; difference "
          f"{total / count:.4f}/255 on average, {worst:.0f}/255 at most")
    return worst <= 3 and total / count < 0.5


def speed(program, folder, runs=5):
    """Photos a second on one core, turn about; OpenCV decodes, scales and divides, and neither crops nor writes."""
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    names = photos(folder)
    theirs, ours = [], []
    for _ in range(runs):
        start = time.perf_counter()
        for name in names:
            scaled(cv2.imread(os.path.join(folder, name))).astype(np.float32) / np.float32(255)
        theirs.append(len(names) / (time.perf_counter() - start))
        start = time.perf_counter()
        subprocess.run([program, "-input-val-dir", folder, "-output-file", "/dev/null", "-threads", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        ours.append(len(names) / (time.perf_counter() - start))
    a, b = np.median(ours), np.median(theirs)
    print(f"{folder}: {a:.0f} photos/s, OpenCV {b:.0f}: {a / b:.2f} x (medians of {runs})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--program", default="bin/aibench_generate_data_vision")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args()
    good = True
    for folder in args.folders:
        for seed, reuse in ((12345, 1), (1, 3)):
            good &= compare(args.program, folder, seed, reuse)
        if args.speed:
            speed(args.program, folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
