"""A small Meta-Dataset source on disk whose images encode their class and record number."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image

from alfa_md.data.spec import DatasetSpec, load_spec
from alfa_md.data.tfrecord.records import encode_example, write_records

CLASSES_PER_SPLIT = {"TRAIN": 6, "VALID": 5, "TEST": 7}


def named_image(class_id: int, number: int) -> bytes:
    """Not an image: text that `decode_names` turns into pixels, so that tests need no decoder."""
    return f"{class_id} {number}".encode()


def decode_names(images: Sequence[bytes]) -> torch.Tensor:
    """A decoder of `named_image`: [N, 3, 1, 1], the channels being class id, record number and 0."""
    return torch.tensor([[*map(float, image.split()), 0.0] for image in images])[:, :, None, None]


def coloured_image(class_id: int, number: int) -> bytes:
    """A 5x4 PNG of the colour (class id, record number, 0)."""
    file = io.BytesIO()
    Image.new("RGB", (5, 4), (class_id, number, 0)).save(file, "PNG")
    return file.getvalue()


def write_source(
    root: Path,
    image: Callable[[int, int], bytes] = named_image,
    name: str = "toy",
    images_per_class: int | Sequence[int] = 30,
) -> DatasetSpec:
    """Write `root/name` with one file for each class and a flat specification, and load the latter."""
    directory = root / name
    directory.mkdir(parents=True)
    num_classes = sum(CLASSES_PER_SPLIT.values())
    counts = [images_per_class] * num_classes if isinstance(images_per_class, int) else list(images_per_class)
    for class_id, count in enumerate(counts):
        examples = (encode_example(image(class_id, number), class_id) for number in range(count))
        write_records(directory / f"{class_id}.tfrecords", examples)
    fields = {
        "__class__": "DatasetSpecification",
        "name": name,
        "classes_per_split": CLASSES_PER_SPLIT,
        "images_per_class": {str(class_id): count for class_id, count in enumerate(counts)},
        "class_names": {str(class_id): f"class {class_id}" for class_id in range(num_classes)},
        "path": "",
        "file_pattern": "{}.tfrecords",
    }
    (directory / "dataset_spec.json").write_text(json.dumps(fields, indent=2))
    return load_spec(directory)
