"""What the converters of all sources share: class files first, the specification last, no other data written over."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.progress import track

from alfa_md.data.spec import SPEC_FILE, DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.records import encode_example, scan_offsets, write_records
from alfa_md.errors import UserError
from alfa_md.files import replacing

UNFINISHED = "unfinished_spec.json"


def encode_jpeg(image: Image.Image) -> bytes:
    """A JPEG of Pillow's default quality, which Meta-Dataset uses for every image that it encodes again."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG")
    return buffer.getvalue()


def write_source(spec: DatasetSpec, records_root_dir: Path, images_of: Callable[[int], Iterable[bytes]]) -> Path:
    """Write a record file for each class and then `dataset_spec.json`; returns `<records_root_dir>/<spec.name>`.

    `images_of(class_id)` gives the encoded images of a class in record order. Classes that are complete already are
    kept, so an interrupted conversion goes on where it stopped. Raises UserError, before anything is written, if the
    directory holds something else than this source; also if it cannot be written.
    """
    directory = records_root_dir / spec.name
    spec = replace(spec, path=directory)
    try:
        _claim(spec, directory)
        for class_id in track(range(len(spec.class_names)), f"Converting {spec.name}", console=Console(stderr=True)):
            if not _is_complete(spec, class_id):
                write_records(spec.class_file(class_id), (encode_example(i, class_id) for i in images_of(class_id)))
        save_spec(spec, directory)
        (directory / UNFINISHED).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{error.filename or directory}: cannot be written ({error.strerror}); choose another records root"
        ) from error
    return directory


def _claim(spec: DatasetSpec, directory: Path) -> None:
    """Take an empty directory for `spec`, or one that a finished or interrupted conversion took for the same."""
    remedy = "choose another records root, or delete the directory if it is of no use"
    marker, mark = directory / UNFINISHED, json.dumps(spec.to_json(), indent=2).encode()
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / SPEC_FILE).exists():
        if load_spec(directory) != spec:
            raise UserError(f"{directory}: holds another {spec.name} with other classes or images; {remedy}")
    elif marker.exists():
        if marker.read_bytes() != mark:
            raise UserError(f"{directory}: holds the unfinished conversion of another {spec.name}; {remedy}")
    elif any(directory.iterdir()):
        raise UserError(f"{directory}: is not empty and has no {SPEC_FILE}; {remedy}")
    else:
        with replacing(marker) as file:
            file.write(mark)


def _is_complete(spec: DatasetSpec, class_id: int) -> bool:
    file = spec.class_file(class_id)
    if not file.exists():
        return False
    try:
        return len(scan_offsets(file)) - 1 == spec.images_per_class[class_id]
    except UserError:  # a damaged file is what converting again is for
        return False
