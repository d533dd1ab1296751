"""Records of realistic sizes, synthesised: smooth pictures with noise, so that a JPEG weighs what real ones weigh."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from alfa_md.data.spec import DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.records import encode_example, write_records

PICTURES = 40  # different ones a class; its records repeat them


class Kind(NamedTuple):
    """What the records resemble; width and height in pixels."""

    classes: int
    images: int  # a class
    width: int
    height: int
    noise: float  # grey levels, standard deviation: what makes a JPEG weigh more


KINDS = {
    "ilsvrc-like": Kind(8, 1300, 490, 380, 22.0),
    "aircraft-like": Kind(20, 100, 880, 290, 8.0),
    "omniglot-like": Kind(200, 20, 105, 105, 0.0),
}


def synthesise(name: str, root: Path) -> DatasetSpec:
    """The source `name` below `root`, written unless it is there."""
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
        coarse = Image.fromarray(rng.randint(0, 256, (8, 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((kind.width, kind.height), Image.Resampling.BICUBIC), np.float32)
        noisy = smooth + kind.noise * rng.randn(kind.height, kind.width, 1)
        buffer = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
        yield buffer.getvalue()
