"""Drawing of traffic signs as videos from an approaching car: tracks of near-duplicate frames."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from alfa_md.data.miniature.backdrops import room
from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import ellipse, points, polygon
from alfa_md.data.miniature.photo import Palette, View

FRAMES_PER_TRACK = 30

PLATES = {
    "disc": ellipse(0.0, 0.0, 0.98, 0.98),
    "triangle": polygon(3, 1.15) + (0.0, 0.15),
    "yield": polygon(3, 1.15, np.pi / 2.0) - (0.0, 0.15),
    "octagon": polygon(8, 1.0, np.pi / 8.0),
    "diamond": polygon(4),
    "square": polygon(4, 1.25, np.pi / 4.0),
}
PICTOGRAMS = {
    "none": "",
    "bar": "13 73 75 15",
    "ahead": "40 63 53 58 38 33 23",
    "left": "04 31 33 83 85 35 37",
    "bend": "28 25 64 60 84 76 46 48",
    "mark": "30 50 55 35 | 36 56 58 38",
    "cross": "10 44 70 81 55 88 78 45 18 07 34 01",
    "one": "31 50 58 38 34 22",
    "seven": "10 70 71 48 28 52 12",
    "lights": "31 51 53 33 | 34 54 56 36 | 11 21 27 11",
    "fork": "48 38 34 10 30 43 60 80 54 58",
}
RED, BLUE, YELLOW, WHITE, BLACK = (
    np.array(value, dtype=np.float64)
    for value in ((190, 40, 40), (45, 80, 170), (220, 180, 60), (225, 225, 225), (25, 25, 25))
)
WEAR = 0.45  # share of a random colour in rim and face, so that colour does not identify the class
LIVERIES = {"warning": (RED, WHITE, BLACK), "order": (BLUE, BLUE, WHITE), "notice": (WHITE, YELLOW, BLACK)}


@dataclass(frozen=True)
class Sign:
    """A plate of `PLATES` with a pictogram of `PICTOGRAMS`, its rim, face and figure coloured as in `LIVERIES`."""

    plate: str
    pictogram: str
    livery: str = "warning"

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint post, rim, face and pictogram, weathered towards the palette's accent."""
        rim, face, figure = LIVERIES[self.livery]
        rim, face = ((1.0 - WEAR) * shade + WEAR * palette.accent for shade in (rim, face))
        canvas.line(np.array([(0.0, 0.5), (0.0, 3.0)]), 0.12, palette.edge)
        outline = PLATES[self.plate]
        canvas.fill(outline, rim)
        centre = outline.mean(axis=0)
        canvas.fill(centre + 0.76 * (outline - centre), face)
        size = 0.4 if self.plate in ("triangle", "yield", "diamond") else 0.55
        for text in filter(None, PICTOGRAMS[self.pictogram].split("|")):
            canvas.fill(centre + size * points(text), figure)


@dataclass(frozen=True)
class Track:
    """Image generator of one sign; each `FRAMES_PER_TRACK` consecutive images are a video of one signpost."""

    sign: Sign
    view: View
    size: int = 48
    approach: tuple[float, float] = (0.35, 0.85)

    def images(self, rng: np.random.RandomState, count: int) -> Iterator[np.ndarray]:
        """Yields `count` frames [S, S, 3] uint8, video by video."""
        for start in range(0, count, FRAMES_PER_TRACK):
            yield from self.video(rng, min(FRAMES_PER_TRACK, count - start))

    def video(self, rng: np.random.RandomState, frames: int) -> Iterator[np.ndarray]:
        """Frames of one video: a fixed scene, a growing and trembling sign, slowly changing light."""
        palette, pose = self.view.palette(rng), self.view.pose(rng)
        scene, light = room(rng, self.size, palette.ground), rng.randint(2**31)
        dusk, still = rng.uniform(-55.0, 55.0), replace(self.view, noise=0.0)
        for frame in range(frames):
            near = self.approach[0] + (self.approach[1] - self.approach[0]) * frame / FRAMES_PER_TRACK
            placed = near * pose
            placed[:, 2] += rng.uniform(-0.02, 0.02, 2)
            canvas = Canvas(scene, placed)
            self.sign.paint(canvas, rng, palette)
            image = still.develop(canvas.array(), np.random.RandomState(light)).astype(np.float64)
            grain = self.view.noise * rng.standard_normal(image.shape[:2])[..., None]
            fading = dusk * (frame / FRAMES_PER_TRACK - 0.5)
            yield np.clip(image + grain + fading, 0, 255).astype(np.uint8)
