"""Synthetic test images of MNIST in its IDX files, two of every digit."""

import gzip
import struct
from pathlib import Path

import numpy as np


def write(folder: Path) -> Path:
    """Image n, of digit n % 10, has 40 n + 20 white pixels; images are packed and labels not."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.zeros((20, 784), np.uint8)
    for number in range(20):
        images[number, : 40 * number + 20] = 255
    labels = np.arange(20, dtype=np.uint8) % 10
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images.reshape(20, 28, 28))))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


def idx(values: np.ndarray) -> bytes:
    """The IDX file of an array of bytes."""
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
