"""CUB-200-2011: 200 species of birds, 11 788 photos in `images/<class>/`, also below `CUB_200_2011/`.

The archive has no class split. It is read from a split file next to `images/` (see `split_lists`). Without one, all 200
classes are split 100 / 50 / 50 as by Chen et al.: of the sorted classes, the first, third, fifth, ... are for training;
the others are for validation and test in turn. The split of learn2learn, 140 / 30 / 30 classes, gives results that are
not comparable; it is recognised and stamped. Folders `<split>/<class>/<image>` are read directly. A few photos are
grey.
References: Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", 2011; Chen et al., "A closer look at few-shot
classification", ICLR 2019.
"""

from collections.abc import Mapping
from pathlib import Path

from alfa_md.data.images.folder import listed_classes
from alfa_md.data.images.image_files import (
    ClassImageFiles,
    ImageFiles,
    find_split_folder,
    list_classes,
    list_split_classes,
    require_folder,
)
from alfa_md.data.images.split_lists import REMEDY, SplitLists, find_lists
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.errors import MissingSource, UserError

# ImageNet statistics, because networks tested on CUB are usually trained on ImageNet.
TRANSFORM = Transform(size=84, filter="bicubic", **IMAGENET)

CONTENT = "images/<class>/<image> and a split file, splits.json"
CHEN = ("train", "valid", "train", "test")  # splits of the sorted classes, repeated
CHEN_COUNTS = {"train": (100, 5885), "valid": (50, 2950), "test": (50, 2953)}  # classes, images
OTHER_SPLITS = {
    "another split of 100/50/50 classes": {"train": 100, "valid": 50, "test": 50},
    "learn2learn's split of 140/30/30 classes": {"train": 140, "valid": 30, "test": 30},
}


def open_split(folder: Path, split: str) -> ImageFiles:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError if a split file is missing or invalid.
    """
    require_folder(folder, CONTENT)
    if place := find_split_folder(folder, split):
        return _stamped(list_split_classes(place, split), split, "split folders")
    archive = folder / "CUB_200_2011" if (folder / "CUB_200_2011").is_dir() else folder
    images = archive / "images"
    if not images.is_dir():
        raise MissingSource(f"{images}: no such folder; unpack CUB_200_2011.tgz into {folder}")
    if lists := find_lists(folder) or find_lists(archive):
        return _stamped(listed_classes(images, lists, split), split, "images and a split file")
    return _stamped(listed_classes(images, chen_lists(images), split), split, "images, no split file")


def chen_lists(images: Path) -> SplitLists:
    """The split of Chen et al. Raises UserError if there are not 200 classes."""
    names = sorted(list_classes(images))
    if len(names) != 200:
        found = f"{images}: has {len(names)} classes, not 200"
        raise UserError(f"{found}, and no split file is in {images.parent}; {REMEDY}")
    classes = {split: tuple(n for i, n in enumerate(names) if CHEN[i % 4] == split) for split in CHEN_COUNTS}
    return SplitLists(images, classes)


def _stamped(classes: Mapping[str, ClassImageFiles], split: str, layout: str) -> ImageFiles:
    return ImageFiles(classes, {"layout": layout, "build": _build(classes, split)})


def _build(classes: Mapping[str, ClassImageFiles], split: str) -> str:
    """Title of the build: Chen et al.'s split by names and images, others by their number of classes."""
    found = (len(classes), sum(len(files.names) for files in classes.values()))
    if found == CHEN_COUNTS[split] and all(_chen_split(name) == split for name in classes):
        return "CUB-200-2011, split of Chen et al. (100/50/50 classes), 11 788 images"
    for title, numbers in OTHER_SPLITS.items():
        if len(classes) == numbers[split]:
            return f"CUB-200-2011, {title}: {found[1]} {split} images"
    return f"unrecognised: {found[0]} {split} classes, {found[1]} images"


def _chen_split(name: str) -> str | None:
    """The split of a class by the number in its name, as in 001.Black_footed_Albatross; None without one."""
    number = name.partition(".")[0]
    return CHEN[(int(number) - 1) % 4] if number.isdecimal() else None
