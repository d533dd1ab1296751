"""Images as files in folders: finding those of a class, and reading one."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL import Image

from alfa_md.data.images.image_set import ImageSet
from alfa_md.errors import MissingSource, MissingSplit, UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
SPLIT_FOLDERS = {"train": ("train",), "valid": ("valid", "val", "validation"), "test": ("test",)}
GREY, COLOUR = ("1", "L", "LA"), ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr")  # with 8 bits a value

# What Pillow raises on a broken file, by the format that the file pretends to have.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)

Read = TypeVar("Read")


class ClassImageFiles(NamedTuple):
    """The image files of one class."""

    folder: Path
    names: tuple[str, ...]


class ImageFiles(ImageSet):
    """One split whose images are files; a file is opened when its image is asked for."""

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


def read_image(file: Path) -> Image.Image:
    """The picture in a file, of mode 1, L or RGB; transparency is dropped. Raises UserError naming a bad file."""
    return _read_open_image(file, _to_supported_mode)


def is_grey(file: Path) -> bool:
    """Whether a file holds a grey picture, told by its header. Raises UserError naming a bad file."""
    return _read_open_image(file, lambda image: image.mode in GREY)


def list_class_images(folder: Path) -> ClassImageFiles:
    """The images directly in the folder of a class, sorted by name. Raises UserError if there is none."""
    names = sorted(f.name for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not names:
        raise UserError(f"{folder}: this class has no image ({', '.join(SUFFIXES)}); add some or remove the folder")
    return ClassImageFiles(folder, tuple(names))


def list_classes(folder: Path) -> dict[str, ClassImageFiles]:
    """The classes of a folder of class folders, by name; hidden folders are none. Raises UserError for an empty one."""
    return {path.name: list_class_images(path) for path in sorted(folder.iterdir()) if _is_visible_folder(path)}


def find_split_folder(folder: Path, split: str) -> Path | None:
    """Where the classes of a split lie in a tree `<split>/<class>/<image>`, valid being also called val or validation.

    None if `folder` has no folder of any split. Raises MissingSplit if it has some, but not of this one.
    """
    for name in SPLIT_FOLDERS[split]:
        if (folder / name).is_dir():
            return folder / name
    others = [name for names in SPLIT_FOLDERS.values() for name in names if (folder / name).is_dir()]
    if others:
        raise MissingSplit(f"{folder}: has no {split} split, only {', '.join(others)}; put its classes in {split}/")
    return None


def list_split_classes(folder: Path, split: str) -> dict[str, ClassImageFiles]:
    """The classes in the folder of a split. Raises MissingSplit if there is none, UserError for an empty class."""
    classes = list_classes(folder)
    if not classes:
        raise MissingSplit(f"{folder}: holds no class folder; images of the {split} split are {folder}/<class>/<image>")
    return classes


def require_folder(folder: Path, content: str) -> None:
    """Raises MissingSource if `folder` does not exist or is empty; `content` says what should be in it."""
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
        image = image.convert("RGBA")  # a palette with transparency has no direct way to RGB
    return image.convert("L" if image.mode == "LA" else "RGB")
