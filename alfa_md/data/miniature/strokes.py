"""Drawing of glyphs: invented characters of a few pen strokes, grouped in alphabets."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import arc
from alfa_md.data.miniature.photo import Palette

ANCHORS = 3  # strokes start and end on a grid of 3 x 3 anchors
Stroke = tuple[int, int, float]  # start anchor, end anchor, bulge


def anchor(number: int) -> np.ndarray:
    """Coordinates [2] of an anchor."""
    return np.array([number % ANCHORS, number // ANCHORS], dtype=np.float64) - 1.0


@dataclass(frozen=True)
class Glyph:
    """A character: strokes between anchors, with random displacement at every drawing."""

    strokes: tuple[Stroke, ...]
    hand: float = 0.12  # maximal displacement of an anchor
    widths: tuple[float, float] = (0.14, 0.3)

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Write the character with one pen."""
        wander = rng.uniform(-self.hand, self.hand, (ANCHORS**2, 2))
        width = rng.uniform(*self.widths)
        for start, end, bulge in self.strokes:
            path = arc(anchor(start) + wander[start], anchor(end) + wander[end], bulge + rng.uniform(-0.06, 0.06))
            canvas.line(0.8 * path, width, palette.figure)


def write_alphabet(rng: np.random.RandomState, characters: int, bulges: tuple[float, ...]) -> list[Glyph]:
    """`characters` different glyphs whose strokes are bent by the `bulges` of the alphabet."""
    glyphs: list[Glyph] = []
    while len(glyphs) < characters:
        strokes = random_strokes(rng, bulges)
        ends = {frozenset(stroke[:2]) for stroke in strokes}
        if all(len(ends & {frozenset(other[:2]) for other in glyph.strokes}) < 2 for glyph in glyphs):
            glyphs.append(Glyph(strokes))
    return glyphs


def random_strokes(rng: np.random.RandomState, bulges: tuple[float, ...]) -> tuple[Stroke, ...]:
    """Two to four random strokes; most continue where the last one ended."""
    pen, strokes = rng.randint(ANCHORS**2), []
    for _ in range(rng.randint(3, 5)):
        if rng.uniform() < 0.3:
            pen = rng.randint(ANCHORS**2)
        end = (pen + rng.randint(1, ANCHORS**2)) % ANCHORS**2
        strokes.append((pen, end, bulges[rng.randint(len(bulges))]))
        pen = end
    return tuple(strokes)
