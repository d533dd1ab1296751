"""Bilinear resize of a picture to a square: four taps, corners of source and target coincide, no antialiasing.

The same float32 operations, in the same order, as TensorFlow's ResizeBilinear with align_corners, so that the result is
equal to the last bit. Reference: the image pipeline of Meta-Dataset (Triantafillou et al., ICLR 2020).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Taps(NamedTuple):
    """Where the pixels of a target lie in a flat source, and how far between them."""

    corners: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # upper left, upper right, lower left, lower right
    along: np.ndarray  # [1, S, 1] float32 in [0, 1): from left to right
    down: np.ndarray  # [S, 1, 1] from top to bottom


def resize_into(target: np.ndarray, pixels: np.ndarray) -> None:
    """Fills `target` [S, S, 3] float32 from `pixels` [H, W, 4] uint8, whose fourth channel is left out."""
    height, width, _ = pixels.shape
    size = len(target)
    taps = taps_of(height, width, size)
    whole = np.ascontiguousarray(pixels).view(np.uint32).ravel()  # a pixel is one number: four times fewer to gather

    def tap(corner: np.ndarray) -> np.ndarray:
        return whole.take(corner).view(np.uint8).reshape(size, size, 4).astype(np.float32)

    upper_left, upper_right, lower_left, lower_right = map(tap, taps.corners)
    upper = _between(upper_left, upper_right, taps.along)
    lower = _between(lower_left, lower_right, taps.along)
    target[...] = _between(upper, lower, taps.down)[..., :3]


def _between(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """start + (end - start) * share, written over `end`."""
    end -= start
    end *= share
    end += start
    return end


@lru_cache(maxsize=64)
def taps_of(height: int, width: int, size: int) -> Taps:
    (top, bottom, down), (left, right, along) = _edge(height, size), _edge(width, size)
    corners = tuple((row[:, None] * width + column).ravel() for row in (top, bottom) for column in (left, right))
    return Taps(corners, along[None, :, None], down[:, None, None])


def _edge(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and higher source pixel [S], and the share of the higher, along an edge of `length` pixels."""
    ratio = np.float32(length - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
    place = np.arange(size, dtype=np.float32) * ratio
    low = np.floor(place).astype(np.int64)
    return low, np.minimum(low + 1, length - 1), place - low.astype(np.float32)
