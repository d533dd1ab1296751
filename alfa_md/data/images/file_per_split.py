"""Lookup of the archive of a split, for data sets published as one file per split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from alfa_md.errors import MissingSplit

SPLIT_WORDS = {"train": ("train",), "valid": ("val", "validation", "valid"), "test": ("test",)}


def find_split_file(folder: Path, names: Mapping[str, Sequence[str]], split: str) -> Path | None:
    """The first file in `folder` with one of the names of a split; None if no split has a file.

    Raises MissingSplit if only other splits have one.
    """
    for name in names[split]:
        if (folder / name).is_file():
            return folder / name
    others = [name for alternatives in names.values() for name in alternatives if (folder / name).is_file()]
    if others:
        raise MissingSplit(f"{folder}: has {', '.join(others)}, but not {names[split][0]}; put it there too")
    return None
