"""Drawing of doodles: objects in a few shaky lines on a grid of 0..8 by 0..8."""

from dataclasses import dataclass

import numpy as np

from alfa_md.data.miniature.canvas import Canvas
from alfa_md.data.miniature.geometry import points, smooth
from alfa_md.data.miniature.photo import Palette

# Lines are separated by "|"; a line that begins with "~" is drawn as a curve.
DOODLES = {
    "house": "08 04 84 88 08 | 04 40 84 | 38 36 56 58",
    "star": "40 58 13 73 28 40",
    "fish": "~ 84 51 24 57 84 | 24 02 06 24 | 63 63",
    "face": "~ 40 11 04 17 48 77 84 71 40 | 23 33 | 53 63 | ~ 25 46 65",
    "ladder": "20 28 | 60 68 | 21 61 | 23 63 | 25 65 | 27 67",
    "spiral": "~ 44 53 45 34 42 64 46 24 41 74 47 14 30",
    "tree": "38 35 | 58 55 | ~ 35 14 11 40 71 74 55 35",
    "sun": "~ 42 33 24 35 46 55 64 53 42 | 41 40 | 74 84 | 47 48 | 04 14 | 61 70 | 11 22 | 66 77 | 17 26",
    "boat": "05 85 68 28 05 | 45 40 74 45",
    "cup": "12 28 58 72 12 | ~ 73 84 75 66",
    "envelope": "01 81 87 07 01 | 01 45 81",
    "umbrella": "~ 05 11 40 71 85 | 05 85 | 45 47 | ~ 47 58 67",
    "key": "~ 24 13 04 15 24 | 24 84 86 | 64 66",
    "lightning": "50 14 44 28 83 43 60 50",
    "cactus": "38 31 40 51 58 | 35 15 12 | 56 76 73",
    "arrow": "04 84 | 51 84 57",
    "hourglass": "10 70 18 78 10",
    "snake": "~ 01 20 41 32 14 26 46 66 74 83",
    "mountain": "08 31 45 63 88 08",
    "eyeglasses": "~ 14 03 14 25 34 23 14 03 14 | ~ 54 63 74 65 54 63 | 34 54 | 03 01 | 74 81",
    "hat": "06 86 | 26 21 61 66 | 24 64",
    "stairs": "08 06 26 24 44 42 64 60 80",
    "butterfly": "40 48 | ~ 43 10 03 44 | ~ 43 70 83 44 | ~ 45 17 27 46 | ~ 45 77 67 46",
    "flag": "10 18 | 10 82 14",
    "kite": "40 73 46 13 40 | 40 46 | 13 73 | ~ 46 57 48",
    "heart": "~ 48 14 11 31 42 51 71 74 48",
}


@dataclass(frozen=True)
class Doodle:
    """The doodle `name` of `DOODLES`."""

    name: str
    shake: float = 0.09

    def paint(self, canvas: Canvas, rng: np.random.RandomState, palette: Palette) -> None:
        """Draw the lines with one pen; every corner is displaced by up to `shake`."""
        width = rng.uniform(0.07, 0.15)
        for text in DOODLES[self.name].split("|"):
            corners = points(text.replace("~", " "))
            path = corners + rng.uniform(-self.shake, self.shake, corners.shape)
            canvas.line(smooth(path, closed=False) if "~" in text else path, width, palette.figure)
