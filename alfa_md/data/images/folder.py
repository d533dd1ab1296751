"""Your own images: a folder of class folders.

Either `<split>/<class>/<image>`, with the splits train, valid (or val, validation) and test, or `<class>/<image>` with
a split file next to the class folders (see `split_lists`). Split folders take precedence. Classes and images are
sorted. The images of a data set must be all grey or all in colour.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alfa_md.data.image_modes import is_grey
from alfa_md.data.images.builds import recognise_build
from alfa_md.data.images.image_files import (
    ClassImageFiles,
    ImageFiles,
    find_split_folder,
    list_class_images,
    list_classes,
    list_split_classes,
    require_folder,
)
from alfa_md.data.images.split_lists import REMEDY, SplitLists, find_lists
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import MissingSource, MissingSplit, UserError

TRANSFORM = Transform(size=84, filter="bicubic", **IMAGENET)

CONTENT = "<split>/<class>/<image>, or <class>/<image> and splits.json"


def open_split(folder: Path, split: str) -> ImageFiles:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError for an empty class, an unreadable image, a mixture
    of grey and colour images, or a missing or malformed split file.
    """
    require_folder(folder, CONTENT)
    if place := find_split_folder(folder, split):
        classes, layout = list_split_classes(place, split), "split folders"
    elif lists := find_lists(folder):
        classes, layout = listed_classes(folder, lists, split), "class folders and a split file"
    elif list_classes(folder):
        raise UserError(f"{folder}: nothing says which classes are for training, validation and test; {REMEDY}")
    else:
        raise MissingSource(f"{folder}: holds no class folder; it should hold {CONTENT}")
    images = ImageFiles(classes, {"layout": layout, "build": recognise_build({}, split, _counts(classes))})
    _refuse_mixture(images)
    return images


def listed_classes(folder: Path, lists: SplitLists, split: str) -> dict[str, ClassImageFiles]:
    """The image files by class that `lists` has for a split, in their folders below `folder`.

    Raises MissingSplit if there is none, UserError naming a class without a folder or without an image.
    """
    names = lists.classes[split]
    if not names:
        raise MissingSplit(f"{lists.path}: lists no class of the {split} split")
    return {name: list_class_images(_class_folder(folder, name, lists.path)) for name in names}


def _class_folder(folder: Path, name: str, lists: Path) -> Path:
    path = listed_path(folder, name, lists)  # a class may be nested: alphabet/character
    if not path.is_dir():
        raise UserError(f"{lists}: lists class {name!r}, but there is no folder {path}; correct either")
    return path


def _counts(classes: Mapping[str, ClassImageFiles]) -> list[int]:
    return [len(files.names) for files in classes.values()]


def _refuse_mixture(images: ImageFiles) -> None:
    """Raise UserError if grey and colour images are mixed; reads all headers in threads, since it is I/O-bound."""
    paths = [images.path(c, n) for c, count in enumerate(images.images_per_class) for n in range(count)]
    with ThreadPoolExecutor(8) as pool:
        grey = list(pool.map(is_grey, paths))
    if len(set(grey)) > 1:
        first_grey, first_coloured = paths[grey.index(True)], paths[grey.index(False)]
        raise UserError(
            f"{first_grey} is grey, but {first_coloured} is coloured ({sum(grey)} of {len(grey)} images of the split "
            "are grey); convert them all to one or the other"
        )
