"""The test images of CIFAR-10 and CIFAR-100 from their python archives (pickles) and binary ones.

A row of a binary file is one byte for each label, the class being the last, and the 3072 values of the image.
Reference: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from alfa_md.data.convert_common.array_images import ArrayImages, plan_array_images
from alfa_md.data.convert_common.left_out import report_names
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.images.cifar100 import SIDE, pickled_pixels, pixels_of_rows
from alfa_md.data.images.packed_folder import PackedFolder
from alfa_md.data.images.pickled_fields import PickledFields
from alfa_md.data.images.unpickling import parse_pickle
from alfa_md.errors import UserError

File = tuple[bytes, Path]  # content, and the name in errors


class CifarArchive(NamedTuple):
    """One published form of a test set: its folder, its files of images and of class names, and their parser."""

    folder: PackedFolder
    test: str
    names: str
    parse: Callable[[File, File], ArrayImages]

    def find(self, source_dir: Path) -> Path | None:
        """The place of the folder: `source_dir` itself, or one in it; None if there is none."""
        return source_dir if (source_dir / self.test).is_file() else self.folder.find(source_dir)

    def read(self, place: Path) -> ArrayImages:
        """The test images. Raises UserError naming a missing or damaged file."""
        images, names = ((self.folder.read(place, name), place / name) for name in (self.test, self.names))
        return self.parse(images, names)

    def left_out(self, place: Path) -> tuple[str, ...]:
        """The line of the report about files that are not read, which have the training images."""
        names = [name for name in self.folder.names(place) if name not in (self.test, self.names)]
        return report_names(f"files of {place.name} left out, not of test images", names)


class PickledForm(NamedTuple):
    """The parser of pickles with the classes in the field `labels`, and their names in `names`."""

    labels: str
    names: str

    def __call__(self, test: File, names: File) -> ArrayImages:
        images, known = (PickledFields(where, parse_pickle(content, where)) for content, where in (test, names))
        pixels = pickled_pixels(images)
        return ArrayImages(pixels, images.labels(self.labels, len(pixels)), tuple(known.names(self.names)))


class BinaryForm(NamedTuple):
    """The parser of rows with `num_labels` bytes before the image, and of a text file with a name a line."""

    num_labels: int

    def __call__(self, test: File, names: File) -> ArrayImages:
        (content, where), width = test, self.num_labels + 3 * SIDE * SIDE
        if len(content) % width:
            raise UserError(f"{where}: has {len(content)} bytes, no multiple of {width}; download the archive again")
        rows = np.frombuffer(content, np.uint8).reshape(-1, width)
        lines = (line.strip() for line in names[0].decode("utf-8", "replace").splitlines())
        pixels = pixels_of_rows(rows[:, self.num_labels :])
        return ArrayImages(pixels, rows[:, self.num_labels - 1], tuple(line for line in lines if line))


class CifarTestSet(NamedTuple):
    """The test images of a source folder in the first of `archives` that lies there, of `num_classes` classes."""

    archives: tuple[CifarArchive, ...]
    num_classes: int

    @property
    def remedy(self) -> str:
        return f"download {' or '.join(archive.folder.packed for archive in self.archives)} there"

    def find(self, source_dir: Path) -> tuple[CifarArchive, Path]:
        """The archive and its place. Raises UserError if there is none."""
        require_originals(source_dir, self.remedy)
        found = [(archive, place) for archive in self.archives if (place := archive.find(source_dir))]
        raise_if_any(source_dir, [] if found else ["has neither archive"], self.remedy)
        return found[0]

    def __call__(self, source_dir: Path) -> ArrayImages:
        """The test images. Raises UserError naming a missing or damaged file."""
        archive, place = self.find(source_dir)
        images = archive.read(place)
        number = len(images.class_names)
        wrong = [] if number == self.num_classes else [f"names {number} classes, not {self.num_classes}"]
        raise_if_any(place, wrong, self.remedy)
        return images


def plan_cifar(source: str, test_set: CifarTestSet, source_dir: Path) -> Plan:
    """The plan of a test set. Raises UserError naming missing or damaged files."""
    archive, place = test_set.find(source_dir)
    return plan_array_images(source, test_set, source_dir, test_set.remedy, archive.left_out(place))
