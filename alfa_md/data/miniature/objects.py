"""Drawing of everyday objects from filled parts on a grid of 0..8 by 0..8, with jitter."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import ellipse, points
from alfa_md.data.miniature.photo import Palette

# Parts are separated by "|" and painted in order: f figure, a accent, e edge (the figure in shadow), g ground, k black;
# then the corners of a polygon, or for "fo" and the like a disc: its centre, and its radius in quarter cells.
OBJECTS = {
    "person": "fo 41 5 | f 23 63 65 53 56 36 33 25 | a 36 46 48 38 | a 46 56 58 48",
    "car": "f 05 15 23 63 75 85 87 07 | a 24 34 35 25 | a 45 44 54 65 | ko 27 5 | ko 67 5",
    "bus": "f 01 81 87 07 | a 12 32 34 12 | a 12 32 34 14 | a 42 52 54 44 | a 62 72 74 64 | ko 27 4 | ko 67 4",
    "tree": "e 35 55 58 38 | fo 43 10 | fo 24 6 | fo 64 6 | fo 41 6",
    "house": "f 14 74 78 18 | e 04 40 84 | a 35 55 58 38 | a 15 25 26 16",
    "cup": "eo 64 8 | go 64 4 | f 12 62 58 28 | a 12 62 63 13",
    "chair": "f 10 30 34 14 | f 14 74 75 15 | e 15 25 28 18 | e 65 75 78 68 | a 11 31 32 11",
    "clock": "fo 44 16 | ao 44 12 | k 41 50 54 44 | k 44 45 65 64 | ko 44 2",
    "umbrella": "f 04 13 31 40 51 73 84 64 54 44 34 24 | e 40 51 44 | a 44 45 48 38 37 44",
    "bottle": "f 30 50 52 63 68 28 23 32 | a 24 64 66 26 | e 30 50 51 31",
    "bicycle": "ko 16 8 | ao 16 5 | ko 76 8 | ao 76 5 | f 16 33 43 26 | f 33 63 64 34 | f 62 72 76 66 | e 22 42 43 23",
    "sofa": "e 12 72 75 15 | f 03 23 27 07 | f 63 83 87 67 | a 25 65 67 25 | a 25 65 67 27 | k 07 17 18 | k 77 87 78",
    "lamp": "f 20 60 74 14 | e 34 44 47 37 | a 17 67 68 18 | e 35 55 57 37",
    "cat": "e 56 85 82 73 74 67 | fo 46 8 | f 20 31 51 60 64 55 35 24 | ao 32 2 | ao 52 2 | k 33 53 44 | a 37 57 58 38",
    "guitar": "fo 26 8 | fo 44 6 | e 43 70 81 54 | ko 35 3 | a 06 17 27 16 | k 60 70 81 82",
    "airship": "fo 33 7 | fo 53 7 | f 31 51 55 35 | fo 43 8 | a 36 56 57 37 | e 02 22 24 04 | a 13 83 83 14",
    "teapot": "fo 45 10 | e 04 13 36 26 | eo 75 6 | fo 45 9 | a 22 62 63 23 | ao 42 3",
    "hammer": "f 01 60 83 62 53 03 | a 33 53 58 38",
    "padlock": "eo 43 9 | go 43 5 | f 14 74 78 18 | ko 45 3 | k 45 54 58 38",
    "bell": "f 30 50 62 76 16 22 | a 06 86 87 07 | ko 48 3",
    "camera": "f 02 22 31 51 62 82 87 07 | ao 45 9 | ko 45 5 | e 11 21 22 12",
    "anchor": "fo 41 4 | ao 41 2 | f 32 52 56 36 | f 13 73 74 14 | f 04 16 37 57 76 84 78 48 08",
    "candle": "a 40 52 43 32 | f 33 53 57 33 | f 33 53 57 37 | e 17 77 78 18",
    "saw": "f 01 61 54 43 34 23 14 03 | e 51 80 84 64",
    "fork": "f 10 20 23 10 | f 10 20 24 14 | f 40 50 54 44 | f 70 71 64 64 | f 14 64 55 45 48 38 35 25",
    "goblet": "f 10 70 63 54 24 13 | e 34 44 47 37 | a 27 67 78 18 | a 12 72 63 23",
    "rocket": "f 40 62 66 26 22 | e 25 27 08 | e 65 67 88 | ao 43 4 | a 36 56 48",
    "key": "fo 24 8 | go 24 4 | f 43 83 84 44 | f 64 74 76 66",
    "wheel": "ko 44 16 | fo 44 11 | k 34 44 40 | k 44 54 48 | k 43 84 45 | k 43 04 45 | ao 44 4",
    "spade": "f 30 50 51 46 36 41 | a 25 65 67 48 27 | e 20 60 61 21",
    "barrel": "f 20 60 74 68 28 14 | e 21 61 62 22 | e 26 66 67 27 | a 34 44 46 36",
    "drum": "f 12 72 77 17 | a 12 22 37 27 | a 42 52 67 57 | e 01 81 82 02 | e 07 87 88 08",
    "tower": "f 30 50 58 28 | a 31 51 52 32 | e 23 63 64 24 | k 36 46 48 38 | a 20 40 60 61 21",
    "bridge": "f 03 83 84 04 | e 11 21 28 18 | e 61 71 78 68 | a 21 44 61 63 23",
}
LEVELS = {"f": "figure", "a": "accent", "e": "edge", "g": "ground"}


@dataclass(frozen=True)
class Object:
    """The object `name` of `OBJECTS`, with up to `company` other shapes before and behind it."""

    name: str
    company: int = 0
    disorder: float = 0.09

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Paint shapes behind, the parts, then a shape in front that hides little."""
        others = rng.randint(self.company + 1)
        for _ in range(others):
            self.bystander(canvas, rng, palette, reach=0.75)
        for text in OBJECTS[self.name].split("|"):
            self.part(canvas, rng, palette, text.split())
        if others:
            self.bystander(canvas, rng, palette, reach=1.1)

    def part(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette, words: list[str]) -> None:
        """Paint one part."""
        level = words[0][0]
        shade = np.full(3, 25.0) if level == "k" else getattr(palette, LEVELS[level])
        if words[0].endswith("o"):
            radius = int(words[2]) / 16.0 * rng.uniform(0.92, 1.08)
            outline = ellipse(*points(words[1])[0], radius, radius)
        else:
            outline = points(" ".join(words[1:]))
        canvas.fill(outline + rng.uniform(-self.disorder, self.disorder, 2) * 0.6, shade * rng.uniform(0.9, 1.1))

    @staticmethod
    def bystander(canvas: Canvas, rng: np.random.RandomState, palette: Palette, reach: float) -> None:
        """Paint a box or a ball at a distance of `reach` or more from the middle."""
        angle = rng.uniform(0.0, 2.0 * np.pi)
        place = reach * rng.uniform(1.0, 1.4) * np.array([np.cos(angle), np.sin(angle)])
        corners = 24 if rng.uniform() < 0.5 else 4
        outline = ellipse(*place, *rng.uniform(0.15, 0.4, 2), rng.uniform(0.0, np.pi), corners)
        shade = palette.ground + rng.uniform(-70.0, 70.0) + rng.uniform(-25.0, 25.0, 3)
        canvas.outlined(outline, shade, 0.03, 0.6 * shade)
