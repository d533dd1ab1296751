"""Drawing of aircraft, seen from above, nose up."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import ellipse
from alfa_md.data.miniature.photo import Palette


@dataclass(frozen=True)
class Aircraft:
    """Planform of an aircraft: start, span, sweep (how far back the tip is) and chords of the wing; engines; tail."""

    sweep: float = 0.4
    span: float = 0.95
    root: float = 0.4  # chord at the fuselage
    tip: float = 0.15
    wing: float = -0.2  # start of the wing along the fuselage
    girth: float = 0.12  # half width of the fuselage
    engines: int = 2
    tail: str = "plain"  # plain, broad, vee, none, canard
    booms: float = 0.0  # distance of twin booms from the middle

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint wings, tail, engines and fuselage, then cockpit and livery."""
        shade = palette.figure * 0.88
        self.pair(canvas, self.plane(self.wing, self.span, self.sweep, self.root, self.tip), shade, palette)
        self.empennage(canvas, shade, palette)
        if self.booms:
            self.pair(canvas, self.box(self.booms, 0.06, -0.1, 0.95), palette.figure, palette)
        for number in range(self.engines // 2):
            x = self.span * (0.36 + 0.28 * number)
            y = self.wing + self.sweep * x / self.span
            self.pair(canvas, self.box(x, 0.07, y - 0.16, y + 0.16), palette.edge, palette)
        nose, length = -0.98, 0.35 if self.booms else 0.95
        body = ellipse(0.0, (nose + length) / 2.0, self.girth, (length - nose) / 2.0)
        canvas.outlined(body, palette.figure, 0.04, palette.edge)
        canvas.fill(ellipse(0.0, nose + 0.2, 0.6 * self.girth, 0.08), np.full(3, 30.0))
        stripe = rng.uniform(-0.3, 0.6) * length
        canvas.line(np.array([(-0.7 * self.girth, stripe), (0.7 * self.girth, stripe)]), 0.08, palette.accent)

    def empennage(self, canvas: Canvas, shade: np.ndarray, palette: Palette) -> None:
        """Paint the tail planes."""
        planes = {
            "plain": (0.72, 0.38, 0.14, 0.2, 0.1),
            "broad": (0.6, 0.5, 0.05, 0.3, 0.24),
            "vee": (0.55, 0.36, 0.42, 0.22, 0.06),
            "canard": (-0.72, 0.34, 0.1, 0.16, 0.08),
        }
        if self.tail in planes:
            start, span, sweep, root, tip = planes[self.tail]
            self.pair(canvas, self.plane(start, span, sweep, root, tip), shade, palette)

    @staticmethod
    def plane(start: float, span: float, sweep: float, root: float, tip: float) -> np.ndarray:
        """The right wing's outline, [4, 2]."""
        return np.array([(0.0, start), (span, start + sweep), (span, start + sweep + tip), (0.0, start + root)])

    @staticmethod
    def box(x: float, half: float, top: float, bottom: float) -> np.ndarray:
        """An upright box about x, [4, 2]."""
        return np.array([(x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)])

    @staticmethod
    def pair(canvas: Canvas, outline: np.ndarray, colour: np.ndarray, palette: Palette) -> None:
        """Paint an outline and its mirror image."""
        for side in (outline, outline * (-1.0, 1.0)):
            canvas.outlined(side, colour, 0.03, palette.edge)
