"""Drawing of fungi, seen from the side: a cap on a stem."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import arc, ellipse, mirror, smooth
from alfa_md.data.miniature.photo import Palette

# Right half of a cap, top to bottom.
CAPS = {
    "dome": ((0.0, -0.9), (0.5, -0.75), (0.8, -0.3), (0.75, -0.1), (0.3, -0.12)),
    "cone": ((0.0, -1.0), (0.2, -0.7), (0.5, -0.15), (0.62, 0.05), (0.2, -0.02)),
    "flat": ((0.0, -0.55), (0.6, -0.52), (0.98, -0.38), (0.9, -0.28), (0.25, -0.22)),
    "funnel": ((0.0, -0.5), (0.5, -0.62), (0.95, -0.85), (0.6, -0.35), (0.2, 0.1)),
    "bell": ((0.0, -0.95), (0.3, -0.85), (0.42, -0.3), (0.72, 0.15), (0.3, 0.05)),
    "ball": ((0.0, -0.8), (0.6, -0.7), (0.85, -0.1), (0.6, 0.45), (0.15, 0.55)),
    "morel": ((0.0, -1.0), (0.32, -0.8), (0.42, -0.3), (0.34, 0.15), (0.1, 0.25)),
}


@dataclass(frozen=True)
class Fungus:
    """A cap of `CAPS` on a stem: `stem` its half width, `foot` how much wider its base; marks on the cap."""

    cap: str
    stem: float = 0.16
    foot: float = 1.0
    marks: str = "none"  # none, spots, streaks, rim
    collar: float = 0.0  # half width of the ring on the stem
    company: int = 0  # number of smaller ones next to it

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint the company, then the fungus itself."""
        for side in (-1.0, 1.0)[: self.company]:
            self.single(canvas, rng, palette, 0.5, np.array([0.62 * side, 0.48]))
        self.single(canvas, rng, palette, 1.0, np.zeros(2))

    def single(self, canvas: Canvas, rng, palette: Palette, size: float, place: np.ndarray) -> None:
        """Paint one fungus of the given size at a place."""
        lean, thick = rng.uniform(-0.12, 0.12), self.stem * rng.uniform(0.85, 1.15)
        half = np.array([(thick, -0.2), (thick, 0.4), (thick * self.foot, 0.85), (0.0, 1.0)])
        stem = mirror(half) + (lean, 0.0) * np.abs(mirror(half)[:, 1:])
        canvas.outlined(size * stem + place, palette.accent, 0.05 * size, 0.6 * palette.accent)
        if self.collar:
            canvas.fill(size * ellipse(lean * 0.3, 0.25, self.collar, 0.09) + place, 0.75 * palette.accent)
        cap = smooth(mirror(np.array(CAPS[self.cap])), pieces=4) * (rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1))
        canvas.outlined(size * cap + place, palette.figure, 0.06 * size, palette.edge)
        self.mark(canvas, rng, palette, size, place)

    def mark(self, canvas: Canvas, rng, palette: Palette, size: float, place: np.ndarray) -> None:
        """Paint the marks on the cap."""
        top = np.array(CAPS[self.cap])
        height, breadth = -top[0, 1], top[:, 0].max()
        if self.marks == "spots":
            for x, y in ((-0.45, 0.5), (0.0, 0.75), (0.42, 0.48), (-0.1, 0.4), (0.2, 0.25)):
                spot = ellipse(x * breadth, -y * height, 0.1, 0.08) + rng.uniform(-0.04, 0.04, 2)
                canvas.fill(size * spot + place, palette.accent)
        if self.marks == "streaks":
            for x in (-0.7, -0.35, 0.0, 0.35, 0.7):
                ends = np.array([(0.25 * x, -0.9 * height), (x * breadth, -0.3 * height)])
                canvas.line(size * ends + place, 0.06 * size, palette.edge)
        if self.marks == "rim":
            low = top[3, 1]
            path = arc(np.array([-0.85 * breadth, low]), np.array([0.85 * breadth, low]), -0.1)
            canvas.line(size * path + place, 0.14 * size, palette.accent)
