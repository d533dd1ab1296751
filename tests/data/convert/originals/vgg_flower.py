"""Synthetic VGG Flower in the layout of its archives, two images per flower."""

from pathlib import Path

import numpy as np
import pytest

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """Image i is of flower (i - 1) % 102 + 1."""
    savemat = pytest.importorskip("scipy.io", reason="reading the labels of VGG Flower needs SciPy").savemat
    for number in range(1, 205):
        save(folder / "jpg" / f"image_{number:05d}.jpg", number)
    savemat(folder / "imagelabels.mat", {"labels": np.arange(204, dtype=np.uint8)[None] % 102 + 1})
    return folder
