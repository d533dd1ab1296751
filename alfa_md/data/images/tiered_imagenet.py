"""tieredImageNet: 608 classes of ImageNet, split by superclass (20 / 6 / 8); 84 pixels.

Read from the published pickles `{train,val,test}_images_png.pkl`, a list of encoded images, with
`{train,val,test}_labels.pkl`, a dictionary of `label_specific` [N] and optionally the names `label_specific_str`; in
the folder itself or in `tiered-imagenet` below it. Or from class folders `<split>/<class>/<image>`.
Reference: Ren et al., "Meta-learning for semi-supervised few-shot classification", ICLR 2018.
"""

from pathlib import Path

import numpy as np

from alfa_md.data.images.archived_images import ArchivedImages, decode_image, members_by_label
from alfa_md.data.images.builds import recognise_build
from alfa_md.data.images.file_per_split import SPLIT_WORDS, find_split_file
from alfa_md.data.images.image_files import ImageFiles, find_split_folder, list_split_classes, require_folder
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.pickled_fields import PickledFields, open_pickled_fields
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.data.images.unpickling import read_pickle
from alfa_md.errors import MissingSource, UserError

TRANSFORM = Transform(size=84, filter="bicubic", **IMAGENET)

FILES = {split: tuple(f"{word}_images_png.pkl" for word in words) for split, words in SPLIT_WORDS.items()}
BUILDS = {
    "tieredImageNet, Ren et al., 779 165 images": {
        "train": (351, 448_695),
        "valid": (97, 124_261),
        "test": (160, 206_209),
    }
}
CONTENT = "{train,val,test}_images_png.pkl with {train,val,test}_labels.pkl, or {train,val,test}/<class>/<image>"


def open_split(folder: Path, split: str) -> ImageSet:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError for a damaged file or an empty class.
    """
    require_folder(folder, CONTENT)
    for place in (folder, folder / "tiered-imagenet"):
        if path := find_split_file(place, FILES, split):
            return _from_pickles(path, split)
        if place.is_dir() and (classes := find_split_folder(place, split)):
            return _from_folders(classes, split)
    raise MissingSource(f"{folder}: holds neither pickles nor class folders; it should hold {CONTENT}")


def _from_folders(place: Path, split: str) -> ImageFiles:
    classes = list_split_classes(place, split)
    build = recognise_build(BUILDS, split, [len(files.names) for files in classes.values()])
    return ImageFiles(classes, {"layout": "class folders", "build": build})


def _from_pickles(path: Path, split: str) -> ArchivedImages:
    labels_path = path.with_name(path.name.replace("_images_png", "_labels"))
    if not labels_path.is_file():
        raise MissingSource(f"{labels_path}: is missing, and {path.name} says no classes; put it beside that file")
    archive = open_pickled_fields(labels_path)  # read before the images, which are gigabytes
    labels = archive.labels("label_specific", len(archive.array("label_specific")))
    names = _class_names(archive, labels)
    images = read_pickle(path)
    if not isinstance(images, list | tuple | np.ndarray) or len(images) != len(labels):
        raise UserError(f"{path}: is no list of {len(labels)} images, as {labels_path.name} has labels for; get both")
    members = members_by_label(labels, names.__getitem__)
    build = recognise_build(BUILDS, split, [len(indices) for indices in members.values()])
    return ArchivedImages(path, images, members, {"layout": "pickled images", "build": build}, decode=decode_image)


def _class_names(archive: PickledFields, labels: np.ndarray) -> dict[int, str]:
    """The class name of every label; its number if the archive has no names or duplicate names."""
    present = sorted(set(labels.tolist()))
    if "label_specific_str" in archive:
        names = archive.names("label_specific_str")
        if len(set(names)) == len(names) and (not present or present[-1] < len(names)):
            return {label: names[label] for label in present}
    return {label: f"{label:04d}" for label in present}
