"""Synthetic records of realistic file sizes: smooth images with noise, and drawings."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from alfa_md.data.spec import DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.records import encode_example, write_records

PICTURES = 40  # distinct images per class, which its records repeat
STROKES = 2  # per drawing


class Kind(NamedTuple):
    """The kind of data that records resemble; width and height in pixels."""

    classes: int
    images: int  # per class
    width: int
    height: int
    noise: float | None  # standard deviation in grey levels, determines the size of a JPEG; None for drawings


KINDS = {
    "ilsvrc-like": Kind(50, 1300, 490, 380, 22.0),  # of 712 training classes the maximum way
    "aircraft-like": Kind(20, 100, 880, 290, 5.0),
    "omniglot-like": Kind(883, 20, 105, 105, None),  # all of its training classes
}


def synthesise(name: str, root: Path) -> DatasetSpec:
    """The source `name` below `root`, written if missing."""
    kind, directory = KINDS[name], root / name
    if not (directory / "dataset_spec.json").exists():
        directory.mkdir(parents=True, exist_ok=True)
        for class_id in range(kind.classes):
            pictures = list(jpegs(kind, np.random.RandomState(class_id)))
            records = (encode_example(pictures[n % len(pictures)], class_id) for n in range(kind.images))
            write_records(directory / f"{class_id}.tfrecords", records)
        names = tuple(f"class {class_id}" for class_id in range(kind.classes))
        sizes = {"train": kind.classes, "valid": 0, "test": 0}
        save_spec(DatasetSpec(name, names, (kind.images,) * kind.classes, sizes), directory)
    return load_spec(directory)


def jpegs(kind: Kind, rng: np.random.RandomState) -> Iterator[bytes]:
    for _ in range(min(PICTURES, kind.images)):
        picture = drawing(kind, rng) if kind.noise is None else photo(kind, rng)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=75 if kind.noise is None else 90)
        yield buffer.getvalue()


def photo(kind: Kind, rng: np.random.RandomState) -> Image.Image:
    coarse = Image.fromarray(rng.randint(0, 256, (8, 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((kind.width, kind.height), Image.Resampling.BICUBIC), np.float32)
    noisy = smooth + kind.noise * rng.randn(kind.height, kind.width, 1)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def drawing(kind: Kind, rng: np.random.RandomState) -> Image.Image:
    """A few light strokes on black, in three equal channels."""
    picture = Image.new("RGB", (kind.width, kind.height))
    for _ in range(STROKES):
        points = rng.randint(0, (kind.width, kind.height), (3, 2))
        ImageDraw.Draw(picture).line([*map(tuple, points.tolist())], "white", width=2)
    return picture
