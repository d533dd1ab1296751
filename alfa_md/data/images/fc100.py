"""FC100: the classes of CIFAR-100 split by superclass, 12 / 4 / 4 superclasses of five classes; 32 pixels.

Read from the pickles `FC100_{train,val,test}.pickle`, from class folders `<split>/<class>/<image>`, or from the python
archive of CIFAR-100. Reference: Oreshkin et al., "TADAM: task dependent adaptive metric for improved few-shot
learning", NeurIPS 2018.
"""

from pathlib import Path

from alfa_md.data.images.builds import equal_classes, recognise_build
from alfa_md.data.images.cifar100 import find_cifar100, open_cifar100
from alfa_md.data.images.file_per_split import SPLIT_WORDS, find_split_file
from alfa_md.data.images.image_files import ImageFiles, find_split_folder, list_split_classes
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.labelled_pixels import open_labelled_pixels
from alfa_md.data.images.transform import CIFAR, Transform
from alfa_md.errors import MissingSource

TRANSFORM = Transform(size=32, filter="bicubic", **CIFAR)

FILES = {split: tuple(f"FC100_{word}.pickle" for word in words) for split, words in SPLIT_WORDS.items()}
BUILDS = {"FC100, Oreshkin et al., 60 000 images": equal_classes(600, train=60, valid=20, test=20)}
CONTENT = "FC100_{train,val,test}.pickle, {train,val,test}/<class>/<image>, or cifar-100-python (also beside it)"
SUPERCLASSES = {  # coarse labels of CIFAR-100
    "train": (1, 2, 3, 4, 5, 6, 9, 10, 15, 17, 18, 19),
    "valid": (8, 11, 13, 16),
    "test": (0, 7, 12, 14),
}


def open_split(folder: Path, split: str) -> ImageSet:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError for a damaged file or an empty class.
    """
    if path := find_split_file(folder, FILES, split):
        return open_labelled_pixels(path, split, BUILDS)
    if folder.is_dir() and (place := find_split_folder(folder, split)):
        classes = list_split_classes(place, split)
        build = recognise_build(BUILDS, split, [len(files.names) for files in classes.values()])
        return ImageFiles(classes, {"layout": "class folders by split", "build": build})
    if archive := find_cifar100(folder):
        return open_cifar100(archive, split, lambda _, superclass: superclass in SUPERCLASSES[split], BUILDS)
    raise MissingSource(f"{folder}: holds no FC100; it should hold {CONTENT}")
