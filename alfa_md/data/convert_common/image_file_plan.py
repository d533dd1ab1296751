"""Conversion plan of a flat source whose images are files; JPEG files are copied unchanged."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.jpeg import read_as_jpeg, read_each
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import file_names, raise_if_any
from alfa_md.data.convert_common.plan import Copied, Plan, Unreadable
from alfa_md.data.convert_common.random_split import flat_spec, load_or_draw_split


class FilesAsJpeg(NamedTuple):
    """The image files of a class id as JPEG, in record order."""

    files: Sequence[Sequence[Path]]

    def __call__(self, class_id: int) -> Iterator[bytes | Copied | Unreadable]:
        return read_each(read_as_jpeg, self.files[class_id])


def plan_image_files(
    source: str,
    source_dir: Path,
    files: Mapping[str, Sequence[Path]],
    sizes: tuple[int, int, int],
    remedy: str,
    notes: tuple[str, ...] = (),
) -> Plan:
    """The plan of a source with a random split; `files` has the image files by class, in the source's class order.

    The report has `notes` and the files beside those of `files` that are in no class. Raises UserError if the number of
    classes is not the sum of `sizes`, or a class has no image.
    """
    names, number = list(files), sum(sizes)
    raise_if_any(source_dir, [] if len(names) == number else [f"{len(names)} classes, not {number}"], remedy)
    raise_if_any(source_dir, [f"no image of {name}" for name in names if not files[name]], remedy)
    counts = {name: len(files[name]) for name in names}
    spec = flat_spec(source, load_or_draw_split(source_dir, source, names, sizes), counts)
    used = {file for own in files.values() for file in own}
    unused = report_unused(Path(os.path.commonpath(sorted({file.parent for file in used}))), used)
    return Plan(spec, FilesAsJpeg([files[name] for name in spec.class_names]), notes=(*notes, *unused))


def jpeg_files(folder: Path) -> list[Path]:
    """The JPEG files in a folder, sorted by name."""
    return [folder / name for name in file_names(folder, ".jpg", ".jpeg")]
