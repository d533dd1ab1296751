"""Drawing of birds in profile, facing right, on a branch."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import arc, ellipse, rotate
from alfa_md.data.miniature.photo import Palette

BILLS = {
    "stout": ((0.0, -0.1), (0.26, 0.0), (0.0, 0.1)),
    "dagger": ((0.0, -0.07), (0.62, 0.02), (0.0, 0.07)),
    "hooked": ((0.0, -0.12), (0.3, -0.06), (0.3, 0.16), (0.18, 0.04), (0.0, 0.1)),
    "flat": ((0.0, -0.06), (0.36, -0.02), (0.42, 0.1), (0.0, 0.12)),
    "curved": ((0.0, -0.09), (0.35, -0.05), (0.58, 0.25), (0.3, 0.06), (0.0, 0.07)),
}
TAILS = {
    "short": ((0.0, -0.12), (-0.3, -0.14), (-0.3, 0.1), (0.0, 0.12)),
    "long": ((0.0, -0.1), (-0.95, 0.1), (-0.95, 0.24), (0.0, 0.12)),
    "forked": ((0.0, -0.1), (-0.75, -0.22), (-0.4, 0.02), (-0.75, 0.26), (0.0, 0.12)),
    "fanned": ((0.0, -0.08), (-0.5, -0.5), (-0.62, -0.1), (-0.5, 0.25), (0.0, 0.12)),
    "cocked": ((-0.05, -0.1), (-0.35, -0.8), (-0.12, -0.85), (0.1, -0.05)),
}


@dataclass(frozen=True)
class Bird:
    """A bird: bill of `BILLS`, tail of `TAILS`, lengths of neck and legs, plumpness, marks of the plumage, crest."""

    bill: str
    tail: str
    neck: float = 0.1
    legs: float = 0.3
    plump: float = 0.42
    marks: str = "none"  # none, bars, spots, bib, cap
    crest: float = 0.0

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint branch, legs, tail, body, neck and head, then the plumage."""
        body, stance = np.array([-0.15, 0.3 - 0.6 * self.legs]), rng.uniform(-0.15, 0.15)
        head = body + (0.42 + 0.25 * self.neck, -0.38 - 0.9 * self.neck)
        perch = body[1] + self.plump * 0.7 + self.legs
        canvas.line(arc(np.array([-1.3, perch]), np.array([1.3, perch]), rng.uniform(-0.06, 0.06)), 0.1, palette.edge)
        for x in (-0.12, 0.08):
            canvas.line(np.array([(body[0] + x, body[1]), (body[0] + x, perch)]), 0.06, palette.accent)
        tail = rotate(np.array(TAILS[self.tail]), stance) + body + (-0.42, 0.0)
        canvas.outlined(tail, 0.85 * palette.figure, 0.04, palette.edge)
        trunk = ellipse(*body, 0.58, self.plump, -0.25 + stance)
        canvas.outlined(trunk, palette.figure, 0.05, palette.edge)
        canvas.line(np.stack([body + (0.3, -0.1), head]), 0.3, palette.figure)
        self.head(canvas, palette, head)
        wing = ellipse(body[0] - 0.1, body[1] + 0.02, 0.4, 0.55 * self.plump, 0.1 + stance)
        canvas.outlined(wing, 0.8 * palette.figure, 0.04, palette.edge)
        self.plumage(canvas, palette, body, head)

    def head(self, canvas: Canvas, palette: Palette, head: np.ndarray) -> None:
        """Paint crest, bill, head and eye."""
        if self.crest:
            crest = np.array([(-0.2, -0.05), (-0.25 * self.crest, -0.2 - 0.6 * self.crest), (0.15, -0.15)])
            canvas.fill(head + crest, palette.edge)
        canvas.fill(head + (0.2, 0.0) + np.array(BILLS[self.bill]), palette.accent)
        canvas.outlined(ellipse(*head, 0.25, 0.23), palette.figure, 0.04, palette.edge)
        if self.marks == "cap":
            canvas.fill(ellipse(head[0] - 0.02, head[1] - 0.12, 0.23, 0.13), palette.accent)
        canvas.fill(ellipse(head[0] + 0.08, head[1] - 0.03, 0.05, 0.05), np.full(3, 15.0))

    def plumage(self, canvas: Canvas, palette: Palette, body: np.ndarray, head: np.ndarray) -> None:
        """Paint the marks of wing and breast."""
        if self.marks == "bars":
            for x in (-0.35, -0.12, 0.1):
                canvas.line(body + np.array([(x, -0.16), (x - 0.1, 0.2)]), 0.09, palette.accent)
        if self.marks == "spots":
            for x, y in ((0.3, 0.02), (0.38, 0.2), (0.15, 0.25), (-0.1, 0.3), (0.05, 0.05), (-0.25, -0.05)):
                canvas.fill(ellipse(*(body + (x, y)), 0.07, 0.07), palette.accent)
        if self.marks == "bib":
            canvas.fill(ellipse(body[0] + 0.4, body[1] - 0.02, 0.17, 0.26, 0.4), palette.accent)
