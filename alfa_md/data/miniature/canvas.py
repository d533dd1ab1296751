"""Canvas for drawing outlines in a given pose on a background, at twice the final resolution."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

OVERSAMPLING = 2


class Canvas:
    """A square image on which subjects are drawn in their own coordinates, (-1, -1) to (1, 1), placed by `pose`.

    `background` is [S, S, 3] uint8; `pose` is the affine map [2, 3] from subject to image coordinates.
    Colours are RGB triples in [0, 255].
    """

    def __init__(self, background: np.ndarray, pose: np.ndarray):
        self.side = OVERSAMPLING * len(background)
        self.pose = pose
        self.image = Image.fromarray(background).resize((self.side, self.side), Image.Resampling.NEAREST)
        self.draw = ImageDraw.Draw(self.image)
        self.zoom = float(np.sqrt(abs(np.linalg.det(pose[:, :2]))))

    def pixels(self, outline: np.ndarray) -> list[tuple[float, float]]:
        """Points [n, 2] in subject coordinates as pixel coordinates of the oversampled image."""
        placed = outline @ self.pose[:, :2].T + (self.pose[:, 2] + 1.0)
        return [tuple(point) for point in (0.5 * self.side * placed).tolist()]

    def fill(self, outline: np.ndarray, colour: np.ndarray) -> None:
        """Paint the inside of a closed outline [n, 2]."""
        self.draw.polygon(self.pixels(outline), fill=rgb_tuple(colour))

    def line(self, outline: np.ndarray, width: float, colour: np.ndarray) -> None:
        """Draw an open line [n, 2] with round joints and ends; `width` in subject coordinates."""
        breadth = max(1.0, width * self.zoom * self.side / 2.0)
        track = self.pixels(outline)
        self.draw.line(track, fill=rgb_tuple(colour), width=round(breadth), joint="curve")
        for x, y in (track[0], track[-1]):
            half = breadth / 2.0
            self.draw.ellipse((x - half, y - half, x + half, y + half), fill=rgb_tuple(colour))

    def outlined(self, outline: np.ndarray, colour: np.ndarray, width: float, edge: np.ndarray) -> None:
        """Fill a closed outline and draw its edge."""
        self.fill(outline, colour)
        self.line(np.concatenate([outline, outline[:1]]), width, edge)

    def cover(self, field: Callable, low: np.ndarray, high: np.ndarray, mask: np.ndarray | None = None) -> None:
        """Blend from colour `low` to `high` by `field(x, y)` in [0, 1], everywhere or inside the outline `mask`."""
        centres = (np.arange(self.side) + 0.5) / self.side * 2.0 - 1.0
        x, y = centres[None, :] - self.pose[0, 2], centres[:, None] - self.pose[1, 2]
        (xx, xy), (yx, yy) = np.linalg.inv(self.pose[:, :2])
        weight = (255.0 * np.clip(field(xx * x + xy * y, yx * x + yy * y), 0.0, 1.0)).astype(np.uint8)
        ramp = (low + np.linspace(0.0, 1.0, 256)[:, None] * (high - low)).astype(np.uint8)
        painted = Image.fromarray(ramp[weight])
        stencil = Image.new("L", painted.size, 255 if mask is None else 0)
        if mask is not None:
            ImageDraw.Draw(stencil).polygon(self.pixels(mask), fill=255)
        self.image.paste(painted, (0, 0), stencil)

    def array(self) -> np.ndarray:
        """The image at its final resolution, [S, S, 3] uint8."""
        return np.asarray(self.image.reduce(OVERSAMPLING))


def rgb_tuple(colour: np.ndarray) -> tuple[int, ...]:
    """A colour as a tuple of integers in [0, 255], as Pillow takes it."""
    return tuple(min(max(int(value), 0), 255) for value in colour)
