"""Synthetic Omniglot in the layout of its two archives, with 1-bit PNG files."""

from pathlib import Path

import numpy as np
from PIL import Image

from alfa_md.data.convert.omniglot import DRAWERS, all_characters


def write(folder: Path) -> Path:
    """Drawer d has d + 1 black pixels, of 20 x 16."""
    for class_id, character in enumerate(all_characters()):
        characters = folder / character.folder
        characters.mkdir(parents=True)
        for drawer in range(DRAWERS):
            paper = np.ones((16, 20), bool)
            paper.flat[: drawer + 1] = False
            Image.fromarray(paper).save(characters / f"{class_id:04d}_{drawer + 1:02d}.png", compress_level=1)
    return folder
