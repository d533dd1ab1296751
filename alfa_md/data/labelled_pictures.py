"""Labelled pictures to learn classes from, and pictures without labels: files in folders, or listed in a CSV file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.images.image_files import SUFFIXES, list_classes, visible_files
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_rows

KINDS = ", ".join(SUFFIXES)


class LabelledPictures(NamedTuple):
    """Picture files grouped by class; classes are sorted by name, the files of a class by path."""

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]  # index into `classes` of every file

    @property
    def shots(self) -> tuple[int, ...]:
        """The number of pictures of every class."""
        counts = Counter(self.labels)
        return tuple(counts[label] for label in range(len(self.classes)))


def labelled_pictures(place: Path) -> LabelledPictures:
    """The pictures of a folder with one folder of pictures a class, or of a CSV file with the columns file and class.

    The files of a CSV file lie in its folder or below it. Raises UserError if there is no such place, for an empty
    class, fewer than two classes, and a file that is missing or listed twice.
    """
    if place.is_dir():
        found = {name: [own.folder / file for file in own.names] for name, own in list_classes(place).items()}
    elif place.is_file():
        found = _listed(place)
    else:
        raise UserError(f"{place}: no such folder or CSV file of labelled pictures; see --support")
    if len(found) < 2:
        kind = "class folders" if place.is_dir() else "classes"
        raise UserError(f"{place}: has {len(found)} {kind}, and a choice needs two or more; add pictures of others")
    return _grouped(found)


def unlabelled_pictures(place: Path) -> tuple[Path, tuple[str, ...]]:
    """A folder and its pictures at any depth by relative path, sorted; for a single file, its folder and name.

    Raises UserError if there is no picture.
    """
    if place.is_file():
        return place.parent, (place.name,)
    if not place.is_dir():
        raise UserError(f"{place}: no such folder or picture; see --query")
    names = tuple(sorted(name for name in visible_files(place) if name.lower().endswith(SUFFIXES)))
    if not names:
        raise UserError(f"{place}: holds no picture ({KINDS}); see --query")
    return place, names


def _listed(file: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    seen: set[Path] = set()
    for row in read_rows(file, ("file", "class")):
        path = listed_path(file.parent, row["file"], file)
        if not path.is_file():
            raise UserError(f"{file}: lists {row['file']!r}, but there is no file {path}; correct either")
        if path in seen:
            raise UserError(f"{file}: lists {row['file']!r} twice; remove one of the lines")
        seen.add(path)
        found.setdefault(row["class"].strip(), []).append(path)
    return found


def _grouped(found: Mapping[str, Sequence[Path]]) -> LabelledPictures:
    classes = tuple(sorted(found))
    pairs = [(path, label) for label, name in enumerate(classes) for path in sorted(found[name])]
    return LabelledPictures(classes, tuple(path for path, _ in pairs), tuple(label for _, label in pairs))
