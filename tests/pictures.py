"""Folders of small picture files for tests of predictions: noise around the colour of a class, of several formats."""

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
ENDINGS = ("png", "jpg", "bmp", "webp", "gif")


def write_picture(file: Path, colour: tuple[int, int, int], seed: int, size: int = 20) -> Path:
    """Writes a picture in the format of the file's ending."""
    noise = np.random.RandomState(seed).randint(-40, 40, (size, size, 3))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(file)
    return file


def write_support(folder: Path, shots: int = 3) -> Path:
    """Writes `shots` pictures of every class to <class>/<number>.<ending>."""
    for label, (name, colour) in enumerate(COLOURS.items()):
        for number in range(shots):
            ending = ENDINGS[number % len(ENDINGS)]
            write_picture(folder / name / f"{number}.{ending}", colour, 100 * label + number)
    return folder


def write_query(folder: Path, number: int = 6) -> Path:
    """Writes pictures of the classes in turn to <number>-<class>.png."""
    for index in range(number):
        name = list(COLOURS)[index % len(COLOURS)]
        write_picture(folder / f"{index:05d}-{name}.png", COLOURS[name], 1000 + index)
    return folder
