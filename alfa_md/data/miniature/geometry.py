"""Outlines as arrays [n, 2] of points (x, y) in the square from -1 to 1, y pointing down."""

import numpy as np


def points(text: str) -> np.ndarray:
    """Points written on a 0..8 grid, "00 80 88" being the square's upper left half, as [n, 2] in [-1, 1]."""
    return np.array([(int(word[0]), int(word[1])) for word in text.split()], dtype=np.float64) / 4.0 - 1.0


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, count: int = 28) -> np.ndarray:
    """The outline of an ellipse about (x, y), turned by `angle` radians, [count, 2]."""
    turn = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return rotate(np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1), angle) + (x, y)


def polygon(corners: int, radius: float = 1.0, angle: float = -np.pi / 2.0) -> np.ndarray:
    """A regular polygon about the origin with its first corner at `angle`, [corners, 2]."""
    turn = angle + 2.0 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def star(tips: int, inner: float, outer: float = 1.0) -> np.ndarray:
    """A star about the origin: corners alternate between the radii `outer` and `inner`, [2 * tips, 2]."""
    outline = polygon(2 * tips, outer)
    outline[1::2] *= inner / outer
    return outline


def rotate(outline: np.ndarray, angle: float) -> np.ndarray:
    """`outline` [n, 2] turned about the origin by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return outline @ np.array([[cos, sin], [-sin, cos]])


def mirror(outline: np.ndarray) -> np.ndarray:
    """One half of a symmetric outline, top to bottom at x >= 0, completed by its image at x <= 0."""
    return np.concatenate([outline, outline[::-1] * (-1.0, 1.0)])


def smooth(outline: np.ndarray, closed: bool = True, pieces: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through the points [n, 2], `pieces` straight pieces for each of its arcs."""
    if closed:
        padded = np.concatenate([outline[-1:], outline, outline[:2]])
    else:
        padded = np.concatenate([outline[:1], outline, outline[-1:]])
    before, start, end, after = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    t = np.linspace(0.0, 1.0, pieces, endpoint=False)[None, :, None]
    linear, square = end - before, 2.0 * before - 5.0 * start + 4.0 * end - after
    cubic = 3.0 * (start - end) + after - before
    curve = 0.5 * (2.0 * start + linear * t + square * t**2 + cubic * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, outline[-1:]])


def arc(start: np.ndarray, end: np.ndarray, bulge: float, count: int = 9) -> np.ndarray:
    """A quadratic curve from `start` to `end`, its middle pushed sideways by `bulge` times their distance."""
    t = np.linspace(0.0, 1.0, count)[:, None]
    chord = np.asarray(end) - np.asarray(start)
    control = (np.asarray(start) + end) / 2.0 + 2.0 * bulge * np.array([-chord[1], chord[0]])
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
