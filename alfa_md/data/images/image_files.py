"""Image sets stored as files: listing of class and split folders, and reading of images."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from alfa_md.data.file_digests import digest_files
from alfa_md.data.image_modes import read_image
from alfa_md.data.images.image_set import ImageSet
from alfa_md.errors import MissingSource, MissingSplit, UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
HIDDEN = (".", "__MACOSX")
SPLIT_FOLDERS = {"train": ("train",), "valid": ("valid", "val", "validation"), "test": ("test",)}


class ClassImageFiles(NamedTuple):
    """The image files of one class; names are relative to its folder."""

    folder: Path
    names: tuple[str, ...]


class ImageFiles(ImageSet):
    """The image set of one split whose images are files, opened on access."""

    def __init__(self, classes: Mapping[str, ClassImageFiles], stamp: Mapping[str, str]):
        self.class_names = tuple(sorted(classes))
        self._classes = tuple(classes[name] for name in self.class_names)
        self.images_per_class = tuple(len(files.names) for files in self._classes)
        self._stamp = dict(stamp)

    def path(self, class_id: int, number: int) -> Path:
        """The file of an image."""
        files = self._classes[class_id]
        return files.folder / files.names[number]

    def image(self, class_id: int, number: int) -> Image.Image:
        return read_image(self.path(class_id, number))

    def stamp(self) -> dict:
        return dict(self._stamp)

    def digests(self) -> dict[str, str]:
        classes = zip(self.class_names, self._classes, strict=True)
        return digest_files({name: [os.path.join(c.folder, image) for image in c.names] for name, c in classes})


def list_class_images(folder: Path) -> ClassImageFiles:
    """The image files in a class folder and in folders within it, sorted by path.

    Raises UserError if there is none, or if all are in folders within it, which may be classes themselves.
    """
    names = sorted(name for name in visible_files(folder) if name.lower().endswith(SUFFIXES))
    if not names:
        raise UserError(f"{folder}: this class has no image ({', '.join(SUFFIXES)}); add some or remove the folder")
    if all("/" in name for name in names):
        raise UserError(
            f"{folder}: this class has images only in folders within it, such as {names[0]}; move them up, or make "
            "these folders the classes"
        )
    return ClassImageFiles(folder, tuple(names))


def visible_files(folder: Path) -> Iterator[str]:
    """Paths, relative to `folder`, of the files at any depth below it, without hidden ones; links to folders, too."""
    for place, folders, files in os.walk(folder):
        prefix = "" if place == str(folder) else Path(place).relative_to(folder).as_posix() + "/"
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # which os.walk does not enter
        yield from (prefix + name for name in (*files, *links) if not name.startswith(HIDDEN))


def list_classes(folder: Path) -> dict[str, ClassImageFiles]:
    """Image files by class of a folder of class folders, without hidden ones. Raises UserError for an empty class."""
    return {path.name: list_class_images(path) for path in sorted(folder.iterdir()) if _is_visible_folder(path)}


def find_split_folder(folder: Path, split: str) -> Path | None:
    """The folder of a split in a tree `<split>/<class>/<image>`; valid may be named val or validation.

    None if `folder` has no split folder. Raises MissingSplit if it has only folders of other splits.
    """
    for name in SPLIT_FOLDERS[split]:
        if (folder / name).is_dir():
            return folder / name
    others = [name for names in SPLIT_FOLDERS.values() for name in names if (folder / name).is_dir()]
    if others:
        raise MissingSplit(f"{folder}: has no {split} split, only {', '.join(others)}; put its classes in {split}/")
    return None


def list_split_classes(folder: Path, split: str) -> dict[str, ClassImageFiles]:
    """Image files by class of a split folder. Raises MissingSplit if it has no class, UserError for an empty class."""
    classes = list_classes(folder)
    if not classes:
        raise MissingSplit(f"{folder}: holds no class folder; images of the {split} split are {folder}/<class>/<image>")
    return classes


def require_folder(folder: Path, content: str) -> None:
    """Raise MissingSource if `folder` does not exist or is empty; `content` describes the expected content."""
    if not folder.is_dir():
        raise MissingSource(f"{folder}: no such folder; it should hold {content}")
    if not any(folder.iterdir()):
        raise MissingSource(f"{folder}: is empty; it should hold {content}")


def _is_visible_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(HIDDEN)
