"""Tiny synthetic data sets in the published folder layouts; the colour of an image encodes its class and number."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

IMAGES = 4  # a class
SPLIT_CLASSES = {"train": ("ant", "bee", "cow"), "valid": ("dog", "eel"), "test": ("fox", "gnu")}
ALL_CLASSES = tuple(name for names in SPLIT_CLASSES.values() for name in names)


def colour(class_name: str, number: int) -> tuple[int, int, int]:
    """The colour of an image: two letters of its class and its number."""
    return ord(class_name[0]), ord(class_name[1]), number


def picture(class_name: str, number: int, mode: str = "RGB", size: tuple[int, int] = (6, 5)) -> Image.Image:
    """An image of one colour."""
    return Image.new("RGB", size, colour(class_name, number)).convert(mode)


def write_class(folder: Path, count: int = IMAGES, mode: str = "RGB", name: str | None = None) -> None:
    """The images of a class, 0.png, 1.png, ...; `name` (by default the folder's) is what their colour says."""
    folder.mkdir(parents=True)
    for number in range(count):
        picture(name or folder.name, number, mode).save(folder / f"{number}.png")


def write_split_folders(folder: Path, words: Sequence[str] = ("train", "valid", "test")) -> None:
    """<split>/<class>/<image>; `words` are the names of the split folders."""
    for word, names in zip(words, SPLIT_CLASSES.values(), strict=True):
        for name in names:
            write_class(folder / word / name)


def write_class_folders(folder: Path, names: Sequence[str] = ALL_CLASSES) -> None:
    """<class>/<image>."""
    for name in names:
        write_class(folder / name)


def write_json(file: Path, lists: Mapping[str, Sequence[str]] = SPLIT_CLASSES) -> None:
    file.write_text(json.dumps({split: list(names) for split, names in lists.items()}))


def write_own_data(folder: Path) -> None:
    """<class>/<image> and splits.json."""
    write_class_folders(folder)
    write_json(folder / "splits.json")


def write_mini_imagenet_folders(folder: Path) -> None:
    write_split_folders(folder / "mini_imagenet_full_size", ("train", "val", "test"))


def write_mini_imagenet_csv(folder: Path) -> None:
    """images/<image> and one csv list a split."""
    (folder / "images").mkdir(parents=True)
    for word, names in zip(("train", "val", "test"), SPLIT_CLASSES.values(), strict=True):
        rows = [(f"{name}{number}.png", name) for name in names for number in range(IMAGES)]
        with (folder / f"{word}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("filename", "label"), *rows])
        for image, name in rows:
            picture(name, int(Path(image).stem[3:])).save(folder / "images" / image)


def write_cub(folder: Path) -> None:
    """images/<class>/<image> and splits.json, as unpacked from the archive."""
    write_class_folders(folder / "CUB_200_2011" / "images")
    write_json(folder / "splits.json")


def write_omniglot(folder: Path) -> None:
    """Both archives of Omniglot, few characters of it, 1-bit images, and splits.json."""
    for number, name in enumerate(ALL_CLASSES):
        part = "images_background" if number < 4 else "images_evaluation"
        write_class(folder / part / "Greek" / name, mode="1")
    write_json(folder / "splits.json", {s: [f"Greek/{n}" for n in names] for s, names in SPLIT_CLASSES.items()})
