"""Omniglot as an image benchmark: 1623 characters, each a class of 20 drawings.

Read from the original archives, `images_background/` and `images_evaluation/` with `<alphabet>/<character>/<image>` (a
class is named alphabet/character), or from folders `<character>/<image>`. The split is read from a split file next to
them (see `split_lists`); without one, a fixed permutation of the 1623 sorted names gives 1100 / 100 / 423 characters
for training, validation and test. Folders `<split>/<character>/<image>` are read directly.

The drawings are dark ink (0) on white paper (1); for bright ink set `Transform.invert`. Training episodes rotate each
class by a random multiple of 90 degrees. The drawings have one bit per pixel, which Pillow resizes by nearest neighbour
whatever the filter: programs that resize them directly have the pixels of filter "nearest".
Reference: Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 2015; the split into characters follows Vinyals et al., "Matching networks", NeurIPS 2016, in its numbers only.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alfa_md.data.images.builds import equal_classes, recognise_build
from alfa_md.data.images.image_files import (
    ClassImageFiles,
    ImageFiles,
    find_split_folder,
    list_class_images,
    list_split_classes,
    require_folder,
)
from alfa_md.data.images.split_lists import REMEDY, SplitLists, find_lists
from alfa_md.data.images.transform import Transform
from alfa_md.data.listed_files import match_names
from alfa_md.errors import MissingSource, MissingSplit, UserError

TRANSFORM = Transform(size=28, filter="lanczos", channels=3)
ROTATED = ("train",)

PARTS = ("images_background", "images_evaluation")
CONTENT = f"{PARTS[0]}/ and {PARTS[1]}/, unpacked from the archives of Omniglot"
CHARACTERS = {"train": 1100, "valid": 100, "test": 423}
TOTAL = sum(CHARACTERS.values())
BUILDS = {"Omniglot, 1623 characters split 1100/100/423, 32 460 images": equal_classes(20, **CHARACTERS)}


def open_split(folder: Path, split: str) -> ImageFiles:
    """The drawings of one split.

    Raises MissingSource or MissingSplit if there are none, UserError if a split file is missing or invalid.
    """
    require_folder(folder, CONTENT)
    if place := find_split_folder(folder, split):
        return _images(list_split_classes(place, split), split, "split folders", {})
    folders = character_folders(folder)
    lists = find_lists(folder)
    names = _listed(folders, lists, split) if lists else permuted_split(sorted(folders), folder)[split]
    layout = "alphabets" if (folder / PARTS[0]).is_dir() else "character folders"
    words = f"{layout}, {'a split file' if lists else 'the split by permutation'}"
    return _images({name: list_class_images(folders[name]) for name in names}, split, words, {} if lists else BUILDS)


def character_folders(folder: Path) -> dict[str, Path]:
    """The folder of every character by class name. Raises MissingSource if there is none."""
    parts = [folder / part for part in PARTS if (folder / part).is_dir()]
    pattern = "*/*" if parts else "*"
    found = [path for part in parts or [folder] for path in part.glob(pattern) if path.is_dir()]
    visible = [path for path in found if not path.name.startswith(".")]
    if not visible:
        raise MissingSource(f"{folder}: holds no character; it should hold {CONTENT}")
    return {f"{path.parent.name}/{path.name}" if parts else path.name: path for path in visible}


def permuted_split(names: Sequence[str], folder: Path) -> dict[str, tuple[str, ...]]:
    """The 1100 / 100 / 423 split of the sorted names. Raises UserError if there are not 1623."""
    if len(names) != TOTAL:
        raise UserError(
            f"{folder}: has {len(names)} characters, not {TOTAL}, and no split file; unpack both archives of Omniglot, "
            f"or {REMEDY}"
        )
    order = np.random.RandomState(0).permutation(TOTAL).tolist()
    splits, start = {}, 0
    for split, count in CHARACTERS.items():
        splits[split] = tuple(sorted(names[i] for i in order[start : start + count]))
        start += count
    return splits


def _listed(folders: dict[str, Path], lists: SplitLists, split: str) -> tuple[str, ...]:
    names = tuple(match_names(lists.classes[split], list(folders)))
    if not names:
        raise MissingSplit(f"{lists.path}: lists no class of the {split} split")
    for name in names:
        if name not in folders:
            raise UserError(f"{lists.path}: lists class {name!r}, but the data set has none of this name; correct it")
    return names


def _images(classes: dict[str, ClassImageFiles], split: str, layout: str, known: dict) -> ImageFiles:
    counts = [len(files.names) for files in classes.values()]
    return ImageFiles(classes, {"layout": layout, "build": recognise_build(known, split, counts)})
