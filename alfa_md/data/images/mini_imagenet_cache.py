"""Reader of the miniImageNet pickles `mini-imagenet-cache-{train,val,test}.pkl`, images of 84 pixels.

Each is a dictionary: `image_data` [N, 84, 84, 3] uint8, and `class_dict`, the indices of the images of every class.
The validation file is called val or validation. Reference: the files published with Ren et al., "Meta-learning for
semi-supervised few-shot classification", ICLR 2018; classes of Ravi and Larochelle, ICLR 2017.
"""

from pathlib import Path

import numpy as np

from alfa_md.data.images.archived_images import ArchivedImages
from alfa_md.data.images.builds import equal_classes, recognise_build
from alfa_md.data.images.file_per_split import SPLIT_WORDS, find_split_file
from alfa_md.data.images.pickled_fields import PickledFields, as_text, open_pickled_fields
from alfa_md.errors import MissingSource

FILES = {split: tuple(f"mini-imagenet-cache-{word}.pkl" for word in words) for split, words in SPLIT_WORDS.items()}
BUILDS = {"miniImageNet, Ravi & Larochelle, 60 000 images": equal_classes(600, train=64, valid=16, test=20)}


def open_split(folder: Path, split: str) -> ArchivedImages:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError for a damaged file.
    """
    path = find_split_file(folder, FILES, split)
    if path is None:
        raise MissingSource(f"{folder}: holds no mini-imagenet-cache-{{train,val,test}}.pkl; put them there")
    archive = open_pickled_fields(path)
    members = _members(archive)
    build = recognise_build(BUILDS, split, [len(indices) for indices in members.values()])
    return ArchivedImages(path, archive.pixels("image_data"), members, {"layout": "pickled cache", "build": build})


def _members(archive: PickledFields) -> dict[str, np.ndarray]:
    classes = archive.get("class_dict")
    if not isinstance(classes, dict):
        archive.fail("class_dict", "must give the image indices of every class")
    return {str(as_text(name)): _indices(archive, name, indices) for name, indices in classes.items()}


def _indices(archive: PickledFields, name, indices) -> np.ndarray:
    whole = isinstance(indices, list | tuple | range | np.ndarray) and all(
        isinstance(index, int | np.integer) for index in indices
    )
    if not whole:
        archive.fail("class_dict", f"must have a list of image indices for class {as_text(name)!r}")
    return np.array(indices, dtype=np.int64)
