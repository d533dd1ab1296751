"""Backgrounds of images: functions of (rng, size, colour) that return [S, S, 3] uint8."""

import numpy as np
from PIL import Image

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import arc, ellipse

UPRIGHT = np.eye(2, 3)


def clouds(rng: np.random.RandomState, size: int, cells: int) -> np.ndarray:
    """Smooth random values in [-1, 1], about `cells` bumps a side, [S, S]."""
    coarse = Image.fromarray(rng.uniform(-1.0, 1.0, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def ramp(rng: np.random.RandomState, size: int) -> np.ndarray:
    """A linear gradient in a random direction, in [-1, 1], [S, S]."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    axis = np.linspace(-0.7, 0.7, size)
    return np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]


def tinted(rng: np.random.RandomState, base: np.ndarray, shade: np.ndarray, spread: float) -> np.ndarray:
    """`base` plus `shade` [S, S] times a mostly grey random amplitude of about `spread` of 255."""
    amplitude = spread * (1.0 + rng.uniform(-0.4, 0.4, 3))
    return np.clip(base + shade[..., None] * amplitude, 0, 255).astype(np.uint8)


def plain(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """Paper of nearly constant colour."""
    return tinted(rng, colour, ramp(rng, size), 8.0)


def studio(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """A gradient with soft clouds."""
    return tinted(rng, colour, ramp(rng, size) + 0.6 * clouds(rng, size, 4), 28.0)


def cluttered(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """A gradient crossed by faint discs and lines."""
    canvas = Canvas(studio(rng, size, colour), UPRIGHT)
    for _ in range(rng.randint(2, 6)):
        shade = colour + rng.uniform(-38.0, 38.0) + rng.uniform(-14.0, 14.0, 3)
        x, y = rng.uniform(-1.0, 1.0, 2)
        if rng.uniform() < 0.5:
            canvas.fill(ellipse(x, y, *rng.uniform(0.1, 0.45, 2), rng.uniform(0.0, np.pi)), shade)
        else:
            canvas.line(arc(np.array([x, y]), rng.uniform(-1.0, 1.0, 2), rng.uniform(-0.3, 0.3)), 0.08, shade)
    return canvas.array()


def sky(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """Blue above, paler below, with clouds; `colour` sets the lightness only."""
    base = colour.mean() + np.array([-30.0, 0.0, 34.0]) * rng.uniform(0.2, 1.3)
    down = np.linspace(-1.0, 1.0, size)[:, None] * np.ones(size)
    return tinted(rng, base, 0.8 * down + 0.9 * np.maximum(clouds(rng, size, 5), 0.0), 24.0)


def foliage(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """Out-of-focus leaves; `colour` sets the lightness only."""
    base = colour.mean() + np.array([-14.0, 18.0, -26.0]) * rng.uniform(0.4, 1.4)
    canvas = Canvas(tinted(rng, base, clouds(rng, size, 6), 22.0), UPRIGHT)
    for _ in range(rng.randint(3, 8)):
        leaf = ellipse(*rng.uniform(-1.0, 1.0, 2), rng.uniform(0.2, 0.5), 0.1, rng.uniform(0.0, np.pi))
        canvas.fill(leaf, base + rng.uniform(-32.0, 32.0))
    return canvas.array()


def soil(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """Forest floor below a dim wood, with litter; `colour` sets the lightness only."""
    base = colour.mean() + np.array([18.0, 2.0, -22.0]) * rng.uniform(0.3, 1.3)
    canvas = Canvas(tinted(rng, base, clouds(rng, size, 5), 16.0), UPRIGHT)
    for _ in range(rng.randint(8, 16)):
        start = np.array([rng.uniform(-1.0, 1.0), rng.uniform(0.1, 1.0)])
        end = start + rng.uniform(-0.3, 0.3, 2)
        canvas.line(arc(start, end, rng.uniform(-0.2, 0.2), 4), 0.05, base + rng.uniform(-34.0, 34.0))
    return canvas.array()


def room(rng: np.random.RandomState, size: int, colour: np.ndarray) -> np.ndarray:
    """A wall or sky above a floor or street, with boxes standing about."""
    canvas = Canvas(studio(rng, size, colour), UPRIGHT)
    horizon = rng.uniform(-0.1, 0.6)
    floor = np.array([(-1, horizon), (1, horizon + rng.uniform(-0.1, 0.1)), (1, 1), (-1, 1)])
    canvas.fill(floor, colour + rng.uniform(-40.0, 40.0) + rng.uniform(-15.0, 15.0, 3))
    for _ in range(rng.randint(1, 5)):
        x, width, height = rng.uniform(-1.0, 1.0), rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.7)
        box = np.array([(x, horizon - height), (x + width, horizon - height), (x + width, horizon), (x, horizon)])
        canvas.fill(box, colour + rng.uniform(-45.0, 45.0) + rng.uniform(-20.0, 20.0, 3))
    return canvas.array()
