"""Writes real images to folders for the image reader: Omniglot, and samples of two further data sets.

python -m tests.image_folders SHARED_DATA IMAGES
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.omniglot_folders import unpack_omniglot

MINIMUM = 20  # 5 shots and 15 queries


def write_quickdraw(npz_path: Path, target: Path, limit: int | None = None) -> None:
    """The drawings, grey, ink bright on black, as PNG below `target`/test/<class>/."""
    with np.load(npz_path) as arrays:
        images, labels, names = arrays["images"], arrays["label"], arrays["class_names"]
    _write(target, names, labels, lambda k: Image.fromarray(images[k]), limit)


def write_traffic_signs(npz_path: Path, target: Path, limit: int | None = None) -> None:
    """The photographs, RGB of any size, as PNG below `target`/test/<class>/."""
    with np.load(npz_path) as arrays:
        files, offsets, labels, names = (arrays[key] for key in ("png", "offset", "label", "class_names"))

    def picture(k: int) -> Image.Image:
        return Image.open(io.BytesIO(files[offsets[k] : offsets[k + 1]].tobytes()))

    _write(target, names, labels, picture, limit)


def _write(
    target: Path, names: np.ndarray, labels: np.ndarray, picture: Callable[[int], Image.Image], limit: int | None
) -> None:
    """The first `limit` classes with at least MINIMUM images; all of them are for testing."""
    large = [label for label in range(len(names)) if (labels == label).sum() >= MINIMUM]
    for label in large[:limit]:
        folder = target / "test" / f"{label:03d}"
        folder.mkdir(parents=True)
        for k in np.flatnonzero(labels == label):
            picture(k).save(folder / f"{k:05d}.png")


def main(shared: Path, root: Path) -> None:
    """All three, complete, below `root`."""
    unpack_omniglot(shared / "omniglot.npz", root / "omniglot_images")
    write_quickdraw(shared / "quickdraw_subset.npz", root / "quickdraw")
    write_traffic_signs(shared / "traffic_sign_subset.npz", root / "traffic_sign")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
