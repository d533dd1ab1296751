"""Textures: surface patterns as functions of (x, y) with values in [0, 1] and cells of width 1."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.photo import Palette


def wave(phase: np.ndarray) -> np.ndarray:
    """A triangle wave of period 1 in [0, 1], highest at whole numbers."""
    return np.abs(2.0 * (phase % 1.0) - 1.0)


def crisp(value: np.ndarray, level: float = 0.5, sharpness: float = 7.0) -> np.ndarray:
    """A soft step from 0 to 1 where `value` crosses `level`."""
    return np.clip((value - level) * sharpness + 0.5, 0.0, 1.0)


def centred(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in [-0.5, 0.5) about the middle of the cell, every other row of cells moved by half a cell."""
    moved = x + 0.5 * (np.floor(y) % 2.0)
    return moved % 1.0 - 0.5, y % 1.0 - 0.5


def scattered(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest and second nearest of points scattered one to a cell."""
    nearest, second = np.full((2, *x.shape), np.inf)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            column, row = np.floor(x) + dx, np.floor(y) + dy
            across = np.sin(12.9898 * column + 78.233 * row) * 43758.5453 % 1.0
            along = np.sin(39.3467 * column + 11.135 * row) * 24634.6345 % 1.0
            distance = np.hypot(column + 0.15 + 0.7 * across - x, row + 0.15 + 0.7 * along - y)
            nearest, second = np.minimum(nearest, distance), np.minimum(second, np.maximum(nearest, distance))
    return nearest, second


def banded(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Upright stripes."""
    return crisp(wave(x))


def chequered(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squares of two colours in turn."""
    return (np.floor(x) + np.floor(y)) % 2.0


def dotted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Discs in staggered rows."""
    return crisp(0.3 - np.hypot(*centred(x, y)), 0.0, 12.0)


def zigzagged(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lines that turn sharply."""
    return crisp(wave(y + 0.8 * wave(x)))


def wavy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lines that turn smoothly."""
    return crisp(wave(y + 0.3 * np.sin(2.0 * np.pi * x)))


def gridded(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Upright and level lines."""
    return crisp(np.maximum(wave(x), wave(y)), 0.72)


def crosshatched(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two families of slanted lines."""
    return crisp(np.maximum(wave((x + y) / 1.4), wave((x - y) / 1.4)), 0.75)


def woven(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Threads that pass over and under each other."""
    over = (np.floor(x) + np.floor(y)) % 2.0
    return np.where(over > 0.5, 1.0 - wave(x * 1.0 + 0.5) ** 3, 0.55 * wave(y) ** 2)


def bricked(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Courses of bricks with their joints."""
    across, along = centred(x / 1.8, y)
    return crisp(np.minimum(0.5 - np.abs(across), 0.5 - np.abs(along)), 0.1, 12.0)


def scaly(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Overlapping scales."""
    distance, rows = np.full(np.shape(x), 2.0), np.floor(2.0 * y)
    for back in (1.0, 0.0):  # scales of a row lie over those of the row above
        row = rows - back
        across = (x + 0.5 * (row % 2.0)) % 1.0 - 0.5
        reach = np.hypot(across, y - 0.5 * row) / 0.56
        distance = np.where(reach < 1.0, reach, distance)
    return np.clip(1.1 - distance**3, 0.0, 1.0)


def swirly(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rings about the middle."""
    return crisp(wave(np.hypot(x, y) * 1.1))


def spiralled(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A spiral about the middle."""
    return crisp(wave(np.hypot(x, y) - np.arctan2(y, x) / (2.0 * np.pi)))


def rayed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rays from the middle."""
    return crisp(wave(np.arctan2(y, x) * 4.0 / np.pi))


def cracked(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cracks between plates of irregular shape."""
    near, next_near = scattered(x, y)
    return crisp(next_near - near, 0.12, 9.0)


def bubbly(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bubbles that touch."""
    near, _ = scattered(x, y)
    return crisp(wave(np.clip(near / 0.42, 0.0, 1.0)), 0.62) * (near < 0.42)


def sprinkled(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Small dots without order."""
    near, _ = scattered(1.7 * x, 1.7 * y)
    return crisp(0.22 - near, 0.0, 14.0)


def marbled(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Soft veins."""
    return wave(0.8 * x + 0.35 * np.sin(2.3 * y + 1.1 * x) + 0.25 * np.sin(3.7 * x - 1.9 * y))


def pleated(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Folds lit from one side."""
    return x % 1.0


def studded(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pyramids in staggered rows."""
    across, along = centred(x, y)
    return np.clip(1.0 - 2.2 * (np.abs(across) + np.abs(along)), 0.0, 1.0)


def lacelike(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Small rings in staggered rows."""
    return crisp(0.09 - np.abs(np.hypot(*centred(x, y)) - 0.34), 0.0, 16.0)


def fibrous(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fine threads side by side."""
    return 0.5 + 0.25 * np.sin(9.0 * x + 0.6 * np.sin(2.0 * y)) + 0.25 * np.sin(15.7 * x + 0.9 * np.sin(1.3 * y + 1.0))


def blotchy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Irregular patches."""
    return crisp(np.sin(3.1 * x + 1.3 * np.sin(2.2 * y)) + np.sin(2.7 * y + 1.7 * np.sin(1.9 * x)), 0.2, 3.0)


def triangular(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Triangles of two colours in turn."""
    column, row = x + 0.5 * y, y
    return ((column % 1.0) + (row % 1.0) > 1.0).astype(np.float64)


def crossed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Crosses in staggered rows."""
    across, along = (np.abs(value) for value in centred(x, y))
    return crisp(0.12 - np.minimum(across, along), 0.0, 16.0) * (np.maximum(across, along) < 0.36)


@dataclass(frozen=True)
class Texture:
    """A surface covered by one of the fields of this module; `tilt` in degrees, `cells` across the subject's square."""

    field: Callable[[np.ndarray, np.ndarray], np.ndarray]
    cells: float = 4.0
    tilt: float = 0.0
    stretch: float = 1.0
    phase: float = 0.25  # how far the pattern may slide, in cells

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Cover the whole canvas with the pattern, slightly bent."""
        self.cover(canvas, rng, palette.ground, palette.figure)

    def cover(self, canvas: Canvas, rng: np.random.RandomState, low, high, mask: np.ndarray | None = None) -> None:
        """Cover the canvas, or the inside of an outline, with the pattern in two colours."""
        angle = np.deg2rad(self.tilt)
        slide_x, slide_y = self.phase * rng.uniform(-1.0, 1.0, 2)
        bend, where = 0.12 * rng.uniform(-1.0, 1.0, 2), rng.uniform(0.0, 2.0 * np.pi, 2)
        density = self.cells / 2.0

        def bent(x, y):
            u = density * (x * np.cos(angle) + y * np.sin(angle)) * self.stretch + slide_x
            v = density * (y * np.cos(angle) - x * np.sin(angle)) + slide_y
            return self.field(u + bend[0] * np.sin(v + where[0]), v + bend[1] * np.sin(u + where[1]))

        canvas.cover(bent, low, high, mask)
