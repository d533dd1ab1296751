"""Image sets stored as files: listing of class and split folders, and reading of images."""

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL import Image

from alfa_md.data.file_digests import digest_files
from alfa_md.data.images.image_set import ImageSet
from alfa_md.errors import MissingSource, MissingSplit, UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
SPLIT_FOLDERS = {"train": ("train",), "valid": ("valid", "val", "validation"), "test": ("test",)}
GREY, COLOUR = ("1", "L", "LA"), ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr")  # with 8 bits per value

# Exceptions that Pillow raises for damaged files of the various formats.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)

Read = TypeVar("Read")


class ClassImageFiles(NamedTuple):
    """The image files of one class."""

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


def read_image(file: Path) -> Image.Image:
    """The image in a file, of mode 1, L or RGB; transparency is dropped. Raises UserError naming an invalid file."""
    return _read_open_image(file, _to_supported_mode)


def is_grey(file: Path) -> bool:
    """True if the image in a file is grey, by its header. Raises UserError naming an invalid file."""
    return _read_open_image(file, lambda image: image.mode in GREY)


def list_class_images(folder: Path) -> ClassImageFiles:
    """The image files directly in a class folder, sorted by name. Raises UserError if there is none."""
    names = sorted(f.name for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not names:
        raise UserError(f"{folder}: this class has no image ({', '.join(SUFFIXES)}); add some or remove the folder")
    return ClassImageFiles(folder, tuple(names))


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
    return path.is_dir() and not path.name.startswith((".", "__MACOSX"))


def _read_open_image(file: Path, read: Callable[[Image.Image], Read]) -> Read:
    try:
        with Image.open(file) as image:
            return read(_require_8_bit(image, file))
    except BROKEN as error:
        raise UserError(f"{file}: is not a readable image; replace it or remove it") from error


def _require_8_bit(image: Image.Image, file: Path) -> Image.Image:
    if image.mode not in GREY + COLOUR:
        raise UserError(f"{file}: has pixels of mode {image.mode}; save it with 8 bits a value, grey or RGB")
    return image


def _to_supported_mode(image: Image.Image) -> Image.Image:
    image.load()
    if image.mode in ("1", "L", "RGB"):
        return image
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # Pillow cannot convert a palette with transparency directly to RGB
    return image.convert("L" if image.mode == "LA" else "RGB")
