"""Reader of split files, which list the classes of each split.

`splits.json`: {"train": ["class a", ...], "valid": [...], "test": [...]}; or `splits.csv`: the header `class,split`,
then one line per class; or three text files `train.txt`, `valid.txt`, `test.txt` with one class per line; never two of
these. "val" and "validation" mean "valid"; a class that is not listed is in no split.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.images.image_files import SPLIT_FOLDERS
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_lines, read_name_lists, read_rows

JSON, CSV = "splits.json", "splits.csv"
REMEDY = 'write splits.json into it: {"train": ["class a", ...], "valid": [...], "test": [...]}'
SPLIT_OF = {word: split for split, words in SPLIT_FOLDERS.items() for word in words}


class SplitLists(NamedTuple):
    """The class names of each split, and the path of the split file (or of the folder of text files)."""

    path: Path
    classes: dict[str, tuple[str, ...]]


def find_lists(folder: Path) -> SplitLists | None:
    """The split lists in `folder`, None if there are none. Raises UserError if they are malformed or contradictory."""
    files = split_files(folder)
    if not files:
        return None
    if files[0].name == JSON:
        return _checked(files[0], read_name_lists(files[0], f"to start again, {REMEDY}"))
    if files[0].name == CSV:
        return _checked(files[0], _from_csv(files[0]))
    return _checked(folder, {file.stem: read_lines(file) for file in files})


def split_files(folder: Path) -> list[Path]:
    """The split file in `folder`, or its text files, one a split; empty if there are none.

    Raises UserError for two kinds of them.
    """
    texts = [folder / f"{word}.txt" for word in SPLIT_OF if (folder / f"{word}.txt").is_file()]
    kinds = [*([folder / name] for name in (JSON, CSV) if (folder / name).is_file()), *([texts] if texts else [])]
    if len(kinds) > 1:
        raise UserError(f"{folder}: has {kinds[0][0].name} and {kinds[1][0].name}, which both split it; keep one")
    return kinds[0] if kinds else []


def _from_csv(file: Path) -> Mapping[str, Sequence[str]]:
    lists: dict[str, list[str]] = {}
    for row in read_rows(file, ("class", "split")):
        lists.setdefault(row["split"].strip(), []).append(row["class"].strip())
    return lists


def _checked(path: Path, lists: Mapping[str, Sequence[str]]) -> SplitLists:
    """The lists by split. Raises UserError for an unknown split or a class listed twice."""
    split_of: dict[str, str] = {}
    for word, names in lists.items():
        if word not in SPLIT_OF:
            raise UserError(f"{path}: unknown split {word!r}; the splits are train, valid and test")
        for name in names:
            if name in split_of:
                both = f"{split_of[name]} and in {SPLIT_OF[word]}"
                raise UserError(f"{path}: class {name!r} is listed in {both}; keep one")
            split_of[name] = SPLIT_OF[word]
    classes = {split: tuple(sorted(n for n, s in split_of.items() if s == split)) for split in SPLIT_FOLDERS}
    return SplitLists(path, classes)
