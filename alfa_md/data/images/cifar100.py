"""Reader of the python archive of CIFAR-100, the source of CIFAR-FS and FC100.

Reads `cifar-100-python/{train,test,meta}`, unpacked or as the published `cifar-100-python.tar.gz`, in the folder of the
data set or next to it, where both can share one. A class has 600 images: 500 of `train`, then 100 of `test`.
Reference: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from alfa_md.data.images.archived_images import ArchivedImages, members_by_label
from alfa_md.data.images.builds import Counts, recognise_build
from alfa_md.data.images.packed_folder import PackedFolder
from alfa_md.data.images.pickled_fields import PickledFields
from alfa_md.data.images.unpickling import parse_pickle
from alfa_md.errors import UserError

ARCHIVE = PackedFolder("cifar-100-python", "cifar-100-python.tar.gz")
SIDE = 32  # pixels
MD5 = {
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    "meta": "7973b15100ade9c7d40fb424638fde48",
}


def find_cifar100(folder: Path) -> Path | None:
    """The archive, unpacked or packed, in `folder` or its parent; None if there is none."""
    return ARCHIVE.find(folder, folder.parent)


def open_cifar100(
    place: Path, split: str, chosen: Callable[[str, int], bool], known: dict[str, Counts]
) -> ArchivedImages:
    """The classes of the archive at `place` for which `chosen(name, superclass)` is true.

    Raises MissingSplit if there is none, UserError for a damaged or incomplete archive.
    """
    contents = {name: ARCHIVE.read(place, name) for name in MD5}
    names = PickledFields(place / "meta", parse_pickle(contents["meta"], place / "meta")).names("fine_label_names")
    parts = [
        _part(PickledFields(place / part, parse_pickle(contents[part], place / part))) for part in ("train", "test")
    ]
    pixels, labels, superclasses = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if len(labels) and labels.max() >= len(names):
        raise UserError(f"{place}: has class {labels.max()}, but meta names {len(names)}; download the archive again")
    superclass_of = dict(zip(labels.tolist(), superclasses.tolist(), strict=True))
    mine = [label for label, superclass in superclass_of.items() if chosen(names[label], superclass)]
    rows = np.flatnonzero(np.isin(labels, mine))
    members = members_by_label(labels[rows], names.__getitem__)
    stamp = {
        "layout": "CIFAR-100 python archive",
        "build": recognise_build(known, split, [len(indices) for indices in members.values()]),
        "checksums": "as published" if all(md5(contents[name]) == MD5[name] for name in MD5) else "unrecognised",
    }
    return ArchivedImages(place, pixels[rows], members, stamp)


def md5(data: bytes) -> str:
    """MD5 of `data`, the published checksum; used to recognise a build, not for security."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def pickled_pixels(part: PickledFields) -> np.ndarray:
    """The images of a part of CIFAR-10 or CIFAR-100, [N, 32, 32, 3] uint8. Raises UserError if its field is invalid."""
    data = part.array("data")
    if data.dtype != np.uint8 or data.shape != (len(data), 3 * SIDE * SIDE):
        part.fail("data", f"must be [N, {3 * SIDE * SIDE}] uint8, not {list(data.shape)} {data.dtype}")
    return pixels_of_rows(data)


def pixels_of_rows(rows: np.ndarray) -> np.ndarray:
    """Images [N, 32, 32, 3] of their stored form [N, 3072]: all red values row by row, then green, then blue."""
    return rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)


def _part(archive: PickledFields) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [N, 32, 32, 3] uint8, and the class and superclass of each [N]."""
    pixels = pickled_pixels(archive)
    labels, superclasses = (archive.labels(f"{level}_labels", len(pixels)) for level in ("fine", "coarse"))
    return pixels, labels, superclasses
