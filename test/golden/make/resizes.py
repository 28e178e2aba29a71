"""
Records how Pillow and OpenCV resize pictures of odd sizes: resizes.safetensors beside this folder.

    VENV/bin/pip install numpy opencv-python-headless pillow
    VENV/bin/python resizes.py ../resizes.safetensors

A picture is a formula of its size (see `picture`), so only results are kept, named KIND/WIDTHxHEIGHT/TO_WIDTHxTO_HEIGHT.
"""
import sys

import cv2
import numpy as np
from PIL import Image

from formats import save_tensors

SIZES = [(1, 1), (1, 7), (9, 1), (2, 3), (5, 4), (7, 90), (90, 7), (17, 31), (33, 33), (64, 63), (100, 41), (331, 97), (97, 331), (640, 427), (500, 375), (1023, 17)]
NEAREST = [45, 60, 96]
TARGETS = [(1, 1), (2, 2), (16, 16), (31, 31), (33, 20), (48, 48)]


def picture(width, height):
    """Noise that any language can make: a product of primes, its middle bits; waves on top."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    noise = ((x * 7919 + y * 104729 + x * y * 31) % 65521) >> 8
    planes = [(noise + x * (3 + c) + y * (5 - c)) % 256 for c in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def main(target):
    tensors = {}
    for i, (width, height) in enumerate(SIZES):
        rgb = picture(width, height)
        for j, (to_width, to_height) in enumerate(TARGETS):
            if (i + j) % 2 == 0 or i < 5:
                name = f"{width}x{height}/{to_width}x{to_height}"
                pillow = np.asarray(Image.fromarray(rgb).resize((to_width, to_height), Image.BICUBIC))
                linear = cv2.resize(rgb, (to_width, to_height), interpolation=cv2.INTER_LINEAR)
                tensors |= {f"pillow_bicubic/{name}": pillow, f"opencv_linear/{name}": linear}
    # Where each place of a line of `to` comes from, for lines of 1 to 200: nearest neighbour.
    for to in NEAREST:
        rows = [cv2.resize(np.arange(width, dtype=np.uint8)[None], (to, 1), interpolation=cv2.INTER_NEAREST)[0] for width in range(1, 201)]
        tensors[f"opencv_nearest/{to}"] = np.stack(rows)
    save_tensors(target, tensors)
    print("Pillow", Image.__version__, "OpenCV", cv2.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
