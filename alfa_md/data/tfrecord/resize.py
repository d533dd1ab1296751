"""Bilinear resize of a picture to a square: four taps, corners of source and target coincide, no antialiasing.

The same float32 operations, in the same order, as TensorFlow's ResizeBilinear with align_corners, so that the result is
equal to the last bit. Reference: the image pipeline of Meta-Dataset (Triantafillou et al., ICLR 2020).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Taps(NamedTuple):
    """Which levels of a source make a target, and how far between them; R rows of the source take part."""

    left: np.ndarray  # [R * S * C] places in the flat source, whose pixels have three levels
    along: np.ndarray  # [R * S * C] float32 in [0, 1): from left to its right neighbour, 0 where it has none
    top: np.ndarray  # [S] among the R rows
    bottom: np.ndarray
    down: np.ndarray  # [S * S * C] from top to bottom


def resize(pictures: np.ndarray, size: int) -> np.ndarray:
    """[N, S, S, C] float32 of N pictures of one size, [N, H, W, 3] uint8; C is 1 where all of them are grey, else 3."""
    number, height, width, _ = pictures.shape
    taps = resize_taps(height, width, size, 1 if _all_grey(pictures) else 3)
    levels = pictures.reshape(number, -1)
    beside = levels[:, min(3, levels.shape[1] - 1) :]  # all pixels but the first: so many indices less
    left, right = (source.take(taps.left, axis=1, mode="clip").astype(np.float32) for source in (levels, beside))
    rows = _interpolate(left, right, taps.along).reshape(number, -1, len(taps.down) // size)
    upper, lower = (rows.take(places, axis=1).reshape(number, -1) for places in (taps.top, taps.bottom))
    return _interpolate(upper, lower, taps.down).reshape(number, size, size, -1)


def _all_grey(pictures: np.ndarray) -> bool:
    """Whether the three colours of every pixel are equal, as those of drawings are."""
    first_row = pictures[0, 0]
    if (first_row[:, 0] != first_row[:, 1]).any():  # spares photographs the rest
        return False
    levels = pictures.ravel()
    differences = levels.copy()
    differences[:-1] ^= levels[1:]  # red and green, green and blue; after these blue and the red of the next pixel
    in_rows = np.bitwise_or.reduce(differences.reshape(-1, 3 * pictures.shape[2]), axis=0)
    return not in_rows.reshape(-1, 3)[:, :2].any()


def _interpolate(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """start + (end - start) * share, written over `end`."""
    end -= start
    end *= share
    end += start
    return end


@lru_cache(maxsize=16)  # of up to a megabyte each: a few sizes are common
def resize_taps(height: int, width: int, size: int, channels: int) -> Taps:
    """Those of C = `channels`; what is the same along an axis is repeated, since NumPy is slow where rows are short."""
    (top, bottom, down), (left, _, along) = _edge_taps(height, size), _edge_taps(width, size)
    rows = np.flatnonzero(np.bincount(np.append(top, bottom)))  # in order, each once
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
    """Lower and higher source pixel [S], and the share of the higher, along an edge of `length` pixels.

    Where both are the last pixel the share would change nothing, and is 0.
    """
    ratio = np.float32(length - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
    place = np.arange(size, dtype=np.float32) * ratio
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    return low, high, np.where(high > low, place - low.astype(np.float32), np.float32(0))
