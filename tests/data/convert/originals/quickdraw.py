"""Synthetic bitmaps of Quick, Draw!, two drawings per file."""

from pathlib import Path

import numpy as np


def write(folder: Path) -> Path:
    """Drawing d of file n has n % 200 + d + 1 white pixels; the first file is of bool."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(345):
        drawings = np.zeros((2, 784), np.uint8)
        for drawing in range(2):
            drawings[drawing, : number % 200 + drawing + 1] = 255
        np.save(folder / f"drawing {number:03d}.npy", drawings > 0 if number == 0 else drawings)
    return folder
