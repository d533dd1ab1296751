"""Drawing of filled shapes, plain or textured."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import ellipse, mirror, points, polygon, smooth, star
from alfa_md.data.miniature.photo import Palette
from alfa_md.data.miniature.textures import Texture

OUTLINES = {
    "disc": ellipse(0.0, 0.0, 0.95, 0.95),
    "square": polygon(4, 1.15, np.pi / 4.0),
    "pentagon": polygon(5),
    "star": star(5, 0.4),
    "burst": star(9, 0.62),
    "cross": points("30 50 53 83 85 55 58 38 35 05 03 33"),
    "arch": points("08 02 20 60 82 88 58 54 34 38"),
    "crescent": smooth(points("60 31 14 37 68 46 34 42")),
    "heart": mirror(points("42 60 81 83 48")),
    "arrow": points("40 84 54 58 38 34 04"),
    "drop": smooth(mirror(points("40 53 66 58 48"))),
    "wedge": points("02 82 58 38"),
    "spool": points("00 80 62 66 88 08 26 22"),
    "leaf": smooth(points("00 60 83 88 38 16")),
    "comb": points("00 80 88 68 63 58 48 43 38 28 23 08"),
    "elbow": points("00 40 44 84 88 08"),
}


@dataclass(frozen=True)
class Shape:
    """A figure of `OUTLINES`, covered by a texture or plain; `hole` is the radius of an opening in the middle."""

    outline: str
    cover: Texture | None = None
    hole: float = 0.0

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint the figure, its cover and its edge."""
        outline = OUTLINES[self.outline]
        if len(outline) < 20:  # jitter corners; it would make curves ragged
            outline = outline + rng.uniform(-0.05, 0.05, outline.shape)
        canvas.outlined(outline, palette.figure, 0.08, palette.edge)
        if self.cover is not None:
            self.cover.cover(canvas, rng, palette.accent, palette.figure, 0.92 * outline)
        if self.hole:
            canvas.fill(ellipse(0.0, 0.1, self.hole, self.hole), palette.ground)
