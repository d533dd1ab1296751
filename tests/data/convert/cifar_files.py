"""Synthetic test images of CIFAR-10 and CIFAR-100 in the layouts of their python and binary archives."""

import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def labelled_rows(num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows [2 * classes, 3072] of noise in large squares, and their classes, in no order."""
    random = np.random.default_rng(num_classes)
    squares = random.integers(0, 256, (2 * num_classes, 3, 4, 4), dtype=np.uint8)
    rows = squares.repeat(8, axis=2).repeat(8, axis=3).reshape(2 * num_classes, -1)
    return rows, random.permutation(np.arange(2 * num_classes) % num_classes)


def write_python(place: Path, files: Sequence[str], fields: Sequence[str], num_classes: int) -> Path:
    """Writes the test images and the names of classes to two pickles, and an empty file of training images."""
    place.mkdir(parents=True)
    rows, labels = labelled_rows(num_classes)
    names = [f"thing {number:02d}".encode() for number in range(num_classes)]
    contents = {fields[0]: labels.tolist(), "data": rows}, {fields[1]: names}
    for file, content in zip(files, contents, strict=True):
        (place / file).write_bytes(pickle.dumps({key.encode(): value for key, value in content.items()}))
    (place / "train").write_bytes(b"")
    return place


def write_binary(place: Path, files: Sequence[str], num_labels: int, num_classes: int) -> Path:
    """Writes the same to a file of rows and a list; a first label of two is 7."""
    place.mkdir(parents=True)
    rows, labels = labelled_rows(num_classes)
    head = np.full((len(rows), num_labels), 7, np.uint8)
    head[:, -1] = labels
    (place / files[0]).write_bytes(np.hstack([head, rows]).tobytes())
    (place / files[1]).write_text("".join(f"thing {number:02d}\n" for number in range(num_classes)) + "\n")
    return place


def pack(place: Path, archive: str) -> Path:
    """Moves a folder into a tar archive next to it."""
    with tarfile.open(place.parent / archive, "w:gz") as packed:
        packed.add(place, place.name)
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    return place.parent
