"""miniImageNet: 100 classes of ImageNet with 600 images each, 64 / 16 / 20 for training, validation and test.

Read from the first of these layouts that exists: class folders `train/<class>/<image>`, `val/...`, `test/...`, also
below `mini_imagenet_full_size/`; one folder `images/` with the lists `train.csv`, `val.csv`, `test.csv` (columns
filename and label) next to it; or the pickles `mini-imagenet-cache-{train,validation,test}.pkl`, whose images are 84
pixels wide.
Reference: Ravi and Larochelle, "Optimization as a model for few-shot learning", ICLR 2017.
"""

from pathlib import Path

from alfa_md.data.images import mini_imagenet_cache
from alfa_md.data.images.builds import recognise_build
from alfa_md.data.images.image_files import (
    SPLIT_FOLDERS,
    ClassImageFiles,
    ImageFiles,
    find_split_folder,
    list_split_classes,
    require_folder,
)
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import MissingSource, MissingSplit, UserError
from alfa_md.system.text_files import read_rows

TRANSFORM = Transform(size=84, filter="bicubic", **IMAGENET)

FULL_SIZE = "mini_imagenet_full_size"
CONTENT = (
    "{train,val,test}/<class>/<image>, or images/ with train.csv, val.csv and test.csv, or "
    "mini-imagenet-cache-{train,validation,test}.pkl"
)


def open_split(folder: Path, split: str) -> ImageSet:
    """The images of one split. Raises MissingSource or MissingSplit if there are none, UserError for invalid files."""
    require_folder(folder, CONTENT)
    if (folder / FULL_SIZE).is_dir():
        folder = folder / FULL_SIZE
    if place := find_split_folder(folder, split):
        return _of_files(list_split_classes(place, split), split, "class folders")
    if any(_lists(folder).values()):
        return _of_files(_listed(folder, split), split, "images and csv lists")
    if any(folder.glob("mini-imagenet-cache-*.pkl")):
        return mini_imagenet_cache.open_split(folder, split)
    raise MissingSource(f"{folder}: holds no miniImageNet; it should hold {CONTENT}")


def _of_files(classes: dict[str, ClassImageFiles], split: str, layout: str) -> ImageFiles:
    counts = [len(files.names) for files in classes.values()]
    return ImageFiles(classes, {"layout": layout, "build": recognise_build(mini_imagenet_cache.BUILDS, split, counts)})


def _lists(folder: Path) -> dict[str, Path | None]:
    """The csv list of each split, None if it does not exist."""
    files = {split: [folder / f"{word}.csv" for word in words] for split, words in SPLIT_FOLDERS.items()}
    return {split: next(filter(Path.is_file, paths), None) for split, paths in files.items()}


def _listed(folder: Path, split: str) -> dict[str, ClassImageFiles]:
    """Image files by class of a csv list, sorted by name."""
    list_file, images = _lists(folder)[split], folder / "images"
    if not list_file:
        raise MissingSplit(f"{folder}: has csv lists, but none for the {split} split; put {split}.csv there")
    if not images.is_dir():
        raise MissingSource(f"{images}: no such folder; it should hold the images that {list_file.name} lists")
    names: dict[str, list[str]] = {}
    seen: set[str] = set()
    for row in read_rows(list_file, ("filename", "label")):
        name, label = row["filename"].strip(), row["label"].strip()
        if name in seen:
            raise UserError(f"{list_file}: lists {name} twice; remove one of the lines")
        if not (path := listed_path(images, name, list_file)).is_file():
            raise UserError(f"{list_file}: lists {name}, which is not in {images}; add it or remove the line")
        seen.add(name)
        names.setdefault(label, []).append(path.relative_to(images).as_posix())
    if not names:
        raise MissingSplit(f"{list_file}: lists no image")
    return {label: ClassImageFiles(images, tuple(sorted(files))) for label, files in names.items()}
