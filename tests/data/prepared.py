"""Sources in shards, as Meta-Dataset's TFDS builder writes them, made of sources of one file per class."""

import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from alfa_md.data.spec import SPLITS, DatasetSpec, parse_spec
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.records import write_records

VERSION_FOLDER = "1.0.0"


def write_prepared(
    root: Path, spec: DatasetSpec, lengths: Sequence[int], order: Sequence[int] | None = None, first: dict | None = None
) -> Path:
    """Writes the records of `spec`, its classes in `order`, to shards of these lengths; returns their folder.

    With `first`, the specification of version v1, `spec` is of v2 alone, and its folder is that of v1.
    """
    order = order or range(len(spec.class_names))
    folder = root / "meta_dataset" / (first["name"] if first else spec.name) / VERSION_FOLDER
    folder.mkdir(parents=True)
    places = [(class_id, number) for class_id in order for number in range(spec.images_per_class[class_id])]
    assert len(places) == sum(lengths)
    labels = {class_id: label for label, class_id in enumerate(order)}
    names = [spec.class_names[class_id] for class_id in order]
    examples = [
        example(image, labels[class_id], f"{class_id}-{number}.jpg", spec.class_names[class_id])
        for (class_id, number), image in zip(places, RecordFiles(spec).read_images(places), strict=True)
    ]
    for shard, end in enumerate(accumulate(lengths)):
        write_records(shard_file(folder, shard, len(lengths)), examples[end - lengths[shard] : end])
    own = spec.to_json() | {"class_names": {str(label): name for label, name in enumerate(names)}}
    specs = {"v1": first or own, "v2": own}
    counts = dict(zip(spec.class_names, spec.images_per_class, strict=True))
    content = metadata(specs, names, [counts[name] for name in names])
    (folder / "metadata.json").write_text(json.dumps(content))
    (folder / "dataset_info.json").write_text(json.dumps(info(lengths), indent=2))
    return folder


def shard_file(folder: Path, shard: int, number: int) -> Path:
    return folder / f"meta_dataset-all_classes.tfrecord-{shard:05d}-of-{number:05d}"


def info(lengths: Sequence[int]) -> dict:
    """The content of `dataset_info.json` that the reader uses; TFDS 4.9.10 writes lengths as strings."""
    split = {
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        "name": "all_classes",
        "shardLengths": [str(length) for length in lengths],
    }
    return {"fileFormat": "tfrecord", "name": "meta_dataset", "splits": [split], "version": VERSION_FOLDER}


def metadata(specs: dict[str, dict], names: Sequence[str], counts: Sequence[int]) -> dict:
    """The content of `metadata.json`: slices of all classes in order, by version and split."""
    ends = list(accumulate(counts, initial=0))
    slices = [list(bounds) for bounds in zip(ends, ends[1:], strict=False)]
    relative = {version: dict(zip(SPLITS, split_slices(spec, slices), strict=True)) for version, spec in specs.items()}
    return {
        "relative_class_slices": relative,
        "dataset_specs": specs,
        "class_names": list(names),
        "total_num_examples": ends[-1],
        "class_slices": {str(label): bounds for label, bounds in enumerate(slices)},
    }


def split_slices(spec: dict, slices: list[list[int]]) -> list[dict[str, list[int]]]:
    """The slices of every split, numbered from 0 in each."""
    known = parse_spec(spec)
    splits = [slices[known.classes(split).start : known.classes(split).stop] for split in SPLITS]
    return [{str(number): bounds for number, bounds in enumerate(own)} for own in splits]


def example(image: bytes, label: int, filename: str, class_name: str) -> bytes:
    """A tf.train.Example with the five features of the builder, in the order in which TFDS 4.9.10 writes them."""
    texts = {"class_name": class_name, "filename": filename, "format": "JPEG"}
    features = {name: field(1, field(1, text.encode())) for name, text in texts.items()}
    features |= {"label": field(3, field(1, bytes([label]))), "image": field(1, field(1, image))}
    return field(1, b"".join(field(1, field(1, name.encode()) + field(2, value)) for name, value in features.items()))


def field(number: int, content: bytes) -> bytes:
    """A field of bytes in the wire format of protocol buffers."""
    size, groups = len(content), []
    while size > 127:
        groups.append(size % 128 + 128)
        size //= 128
    return bytes([number * 8 + 2, *groups, size]) + content
