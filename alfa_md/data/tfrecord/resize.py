"""Bilinear resize of images to a square with aligned corners and without antialiasing.

The float32 operations and their order are those of TensorFlow's ResizeBilinear with align_corners, so the results are
bit-identical. Reference: the image pipeline of Meta-Dataset (Triantafillou et al., ICLR 2020).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Taps(NamedTuple):
    """Source indices and interpolation weights of a resize; R rows of the source are used."""

    left: np.ndarray  # [R * S * C] indices into the flattened source, which has three channels
    along: np.ndarray  # [R * S * C] float32 in [0, 1): weight of the right neighbour, 0 if there is none
    top: np.ndarray  # [S] indices of the R rows
    bottom: np.ndarray
    down: np.ndarray  # [S * S * C] weight of the bottom row


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resized images [N, S, S, C] float32 of images [N, H, W, 3] uint8; C is 1 if all of them are grey, else 3."""
    number, height, width, _ = images.shape
    taps = resize_taps(height, width, size, 1 if _all_grey(images) else 3)
    pixels = images.reshape(number, -1)
    shifted = pixels[:, min(3, pixels.shape[1] - 1) :]  # `taps.left` indexes the right neighbours in it
    left, right = (source.take(taps.left, axis=1, mode="clip").astype(np.float32) for source in (pixels, shifted))
    rows = _interpolate(left, right, taps.along).reshape(number, -1, len(taps.down) // size)
    upper, lower = (rows.take(indices, axis=1).reshape(number, -1) for indices in (taps.top, taps.bottom))
    return _interpolate(upper, lower, taps.down).reshape(number, size, size, -1)


def _all_grey(images: np.ndarray) -> bool:
    """True if the three channels of every pixel are equal."""
    first_row = images[0, 0]
    if (first_row[:, 0] != first_row[:, 1]).any():  # early exit for photographs
        return False
    pixels = images.ravel()
    differences = pixels.copy()
    differences[:-1] ^= pixels[1:]  # r^g, g^b, and b^(r of the next pixel), which is ignored below
    in_rows = np.bitwise_or.reduce(differences.reshape(-1, 3 * images.shape[2]), axis=0)
    return not in_rows.reshape(-1, 3)[:, :2].any()


def _interpolate(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """start + (end - start) * share, computed in place in `end`."""
    end -= start
    end *= share
    end += start
    return end


@lru_cache(maxsize=16)  # up to a megabyte each; few sizes are common
def resize_taps(height: int, width: int, size: int, channels: int) -> Taps:
    """Taps for C = `channels`; values are repeated along axes, because NumPy is slow on short rows."""
    (top, bottom, down), (left, _, along) = _edge_taps(height, size), _edge_taps(width, size)
    rows = np.flatnonzero(np.bincount(np.append(top, bottom)))  # sorted and unique
    columns = (3 * left[:, None] + np.arange(channels)).ravel()
    along, down = np.tile(along.repeat(channels), len(rows)), down.repeat(size * channels)
    return Taps(
        (3 * width * rows[:, None] + columns).ravel(),
        along,
        np.searchsorted(rows, top),
        np.searchsorted(rows, bottom),
        down,
    )


@lru_cache(maxsize=1024)
def _edge_taps(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and higher source pixel [S] and weight of the higher, along an edge of `length` pixels.

    The weight is 0 if both are the last pixel.
    """
    ratio = np.float32(length - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
    place = np.arange(size, dtype=np.float32) * ratio
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    return low, high, np.where(high > low, place - low.astype(np.float32), np.float32(0))
