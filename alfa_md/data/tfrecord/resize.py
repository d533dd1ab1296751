"""Bilinear resize of a picture to a square: four taps, corners of source and target coincide, no antialiasing.

The same float32 operations, in the same order, as TensorFlow's ResizeBilinear with align_corners, so that the result is
equal to the last bit. Reference: the image pipeline of Meta-Dataset (Triantafillou et al., ICLR 2020).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Taps(NamedTuple):
    """Which pixels of a source make a target, and how far between them; R rows of the source take part."""

    left: np.ndarray  # [R * S] places in the flat source
    right: np.ndarray
    along: np.ndarray  # [S * C] float32 in [0, 1): from left to right, the same for all channels of a pixel
    top: np.ndarray  # [S] among the R rows
    bottom: np.ndarray
    down: np.ndarray  # [S, 1] from top to bottom


def resize_into(target: np.ndarray, pixels: np.ndarray) -> None:
    """Fills `target` [S, S, 3] float32 from `pixels` [H, W, 4] uint8, whose fourth channel is left out."""
    height, width, _ = pixels.shape
    whole = np.ascontiguousarray(pixels).view(np.uint32).ravel()  # a pixel is one number: fewer to gather
    channels = 1 if _is_grey(whole, width) else 4
    source = np.ascontiguousarray(pixels[..., 0]).ravel() if channels == 1 else whole
    upper, rise = _upper_and_rise(source, taps_of(height, width, len(target), channels))
    for channel in range(3):  # by channel, since NumPy is slow where the last axis is short
        np.add(upper[..., channel % channels], rise[..., channel % channels], out=target[..., channel])


def _is_grey(whole: np.ndarray, width: int) -> bool:
    """Whether the three colours of every pixel are equal, as those of drawings are; mostly the first row denies it."""

    def equal(pixels: np.ndarray) -> bool:
        return not ((pixels ^ (pixels >> 8)) & 0xFFFF).any()  # red against green, green against blue

    return equal(whole[:width]) and equal(whole)


def _upper_and_rise(source: np.ndarray, taps: Taps) -> tuple[np.ndarray, np.ndarray]:
    """[S, S, C] float32: the value at the upper row of each target pixel, and what is to be added."""
    size = len(taps.top)

    def tap(places: np.ndarray) -> np.ndarray:
        return source.take(places).view(np.uint8).reshape(-1, len(taps.along)).astype(np.float32)

    left = tap(taps.left)
    rows = _step(left, tap(taps.right), taps.along)
    rows += left
    upper = rows.take(taps.top, axis=0)
    rise = _step(upper, rows.take(taps.bottom, axis=0), taps.down)
    return upper.reshape(size, size, -1), rise.reshape(size, size, -1)


def _step(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(end - start) * share, written over `end`."""
    end -= start
    end *= share
    return end


@lru_cache(maxsize=64)
def taps_of(height: int, width: int, size: int, channels: int) -> Taps:
    (top, bottom, down), (left, right, along) = _edge(height, size), _edge(width, size)
    rows = np.array(sorted({*top, *bottom}))
    left, right = ((rows[:, None] * width + column).ravel() for column in (left, right))
    top, bottom = np.searchsorted(rows, top), np.searchsorted(rows, bottom)
    return Taps(left, right, along.repeat(channels), top, bottom, down[:, None])


def _edge(length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and higher source pixel [S], and the share of the higher, along an edge of `length` pixels."""
    ratio = np.float32(length - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
    place = np.arange(size, dtype=np.float32) * ratio
    low = np.floor(place).astype(np.int64)
    return low, np.minimum(low + 1, length - 1), place - low.astype(np.float32)
