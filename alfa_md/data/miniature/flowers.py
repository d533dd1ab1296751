"""Drawing of flowers, seen from above: rings of petals about a centre."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import ellipse, rotate, smooth
from alfa_md.data.miniature.photo import Palette

# Half a petal: (distance from the centre, half width), both relative to its length and breadth.
PETALS = {
    "round": ((0.1, 0.25), (0.45, 0.8), (0.75, 1.0), (0.95, 0.6)),
    "pointed": ((0.1, 0.3), (0.4, 0.9), (0.6, 0.85), (1.0, 0.02)),
    "notched": ((0.1, 0.2), (0.5, 0.6), (0.95, 1.0), (0.98, 0.55), (0.72, 0.04)),
    "spoon": ((0.1, 0.2), (0.55, 0.2), (0.7, 0.9), (0.85, 1.0), (1.0, 0.4)),
    "square": ((0.1, 0.3), (0.4, 0.7), (0.9, 1.0), (0.95, 0.9)),
}


@dataclass(frozen=True)
class Flower:
    """`petals` petals of a kind of `PETALS`; `breadth` as a fraction of the angle per petal; `rings` of them."""

    petals: int
    tip: str
    breadth: float = 0.9
    rings: int = 1
    centre: float = 0.22
    rays: int = 0  # stamens

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint the outer ring first, then the inner ones, the stamens and the centre."""
        start = rng.uniform(-0.08, 0.08)
        for ring in range(self.rings):
            size = 1.0 - 0.42 * ring
            shade = palette.figure if ring % 2 == 0 else 0.5 * (palette.figure + palette.accent)
            for number in range(self.petals):
                angle = start + (number + 0.5 * ring) * 2.0 * np.pi / self.petals
                outline = rotate(self.petal(rng) * size, angle)
                canvas.outlined(outline, shade * rng.uniform(0.92, 1.08), 0.05, palette.edge)
        for number in range(self.rays):
            direction = rotate(np.array([[self.centre, 0.0], [self.centre + 0.3, 0.0]]), 2.4 * number)
            canvas.line(direction, 0.05, palette.accent)
        canvas.outlined(ellipse(0.0, 0.0, self.centre, self.centre), palette.accent, 0.05, 0.6 * palette.accent)

    def petal(self, rng: np.random.RandomState) -> np.ndarray:
        """One petal's outline along the x axis, [n, 2]."""
        half = np.array(PETALS[self.tip]) * (1.0, self.breadth * np.tan(np.pi / max(self.petals, 4)))
        half = half * (rng.uniform(0.92, 1.04), rng.uniform(0.9, 1.1))
        outline = np.concatenate([half, half[::-1] * (1.0, -1.0)])
        return outline if self.tip in ("pointed", "square") else smooth(outline, pieces=3)
