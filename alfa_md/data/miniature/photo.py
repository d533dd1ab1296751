"""Image generator of one class: its subject in random pose, colours and light."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from alfa_md.data.miniature.canvas import Canvas

LUMA = np.array([0.299, 0.587, 0.114])
JPEG_QUALITY = 75


class Palette(NamedTuple):
    """Colours of one image; figure and accent contrast with the ground and with each other."""

    figure: np.ndarray  # [3] in [0, 255]
    accent: np.ndarray
    ground: np.ndarray

    @property
    def edge(self) -> np.ndarray:
        """The figure's colour in shadow, for outlines."""
        return 0.55 * self.figure


class Drawable(Protocol):
    """The subject of a class: the same structure at every call, details drawn from `rng`."""

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint the subject within the square from -1 to 1."""


@dataclass(frozen=True)
class View:
    """Distribution of the nuisance variables of images, which are independent of the class.

    Shift is in half image widths, turn in degrees, zoom a range of the subject's size. `light` is the chance that
    the figure is lighter than its ground (0.5: contrast inverts at random), `chroma` the strength of random hues,
    `exposure` the spread of overall brightness, `noise` the standard deviation of pixel noise, of 255.
    """

    shift: float = 0.15
    turn: float = 15.0
    zoom: tuple[float, float] = (0.6, 0.85)
    squeeze: float = 0.1
    mirrored: float = 0.0
    light: float = 0.5
    chroma: float = 0.55
    exposure: float = 0.2
    noise: float = 6.0
    contrast: tuple[float, float] = (0.3, 0.5)

    def pose(self, rng: np.random.RandomState) -> np.ndarray:
        """A random pose, the affine map [2, 3] from subject to image coordinates."""
        angle = np.deg2rad(rng.uniform(-self.turn, self.turn))
        stretch = np.exp(rng.uniform(-self.squeeze, self.squeeze))
        flip = -1.0 if rng.uniform() < self.mirrored else 1.0
        scale = rng.uniform(*self.zoom) * np.diag([flip * stretch, 1.0 / stretch])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.concatenate([turn @ scale, rng.uniform(-self.shift, self.shift, (2, 1))], axis=1)

    def palette(self, rng: np.random.RandomState) -> Palette:
        """Random hues; the lightness of figure and ground differs by `contrast` at least."""
        gap = rng.uniform(*self.contrast)
        dark = rng.uniform(0.12, 0.88 - gap)
        lightness = [dark + gap, dark] if rng.uniform() < self.light else [dark, dark + gap]
        accent = lightness[1] + (0.25 if lightness[1] < 0.5 else -0.25) * rng.uniform(0.0, 1.0)
        figure, ground, accent = (colour(rng, value, self.chroma) for value in (*lightness, accent))
        return Palette(figure, accent, ground)

    def develop(self, image: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """The image with random exposure, white balance and noise, [S, S, 3] uint8."""
        gain = 1.0 + rng.uniform(-self.exposure, self.exposure) + rng.uniform(-0.05, 0.05, 3)
        lift = 60.0 * rng.uniform(-self.exposure, self.exposure)
        grain = self.noise * rng.standard_normal(image.shape[:2])[..., None]
        return np.clip(image * gain + lift + grain, 0, 255).astype(np.uint8)


Backdrop = Callable[[np.random.RandomState, int, np.ndarray], np.ndarray]  # rng, size, colour -> [S, S, 3] uint8


@dataclass(frozen=True)
class Photo:
    """Image generator of one class by subject, view and backdrop; images are `size` pixels wide."""

    subject: Drawable
    view: View
    backdrop: Backdrop
    size: int = 56

    def images(self, rng: np.random.RandomState, count: int) -> Iterator[np.ndarray]:
        """Yields `count` independent images [S, S, 3] uint8."""
        for _ in range(count):
            palette = self.view.palette(rng)
            canvas = Canvas(self.backdrop(rng, self.size, palette.ground), self.view.pose(rng))
            self.subject.paint(canvas, rng, palette)
            yield self.view.develop(canvas.array(), rng)


def colour(rng: np.random.RandomState, lightness: float, chroma: float) -> np.ndarray:
    """A random hue of the given lightness (0 black, 1 white), RGB in [0, 255]."""
    hue = rng.uniform(0.0, 1.0, 3)
    return 255.0 * np.clip(lightness + chroma * (hue - LUMA @ hue), 0.0, 1.0)


def jpeg_bytes(image: np.ndarray) -> bytes:
    """JPEG bytes of an image [S, S, 3] uint8."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
