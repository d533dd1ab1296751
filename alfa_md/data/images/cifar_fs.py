"""CIFAR-FS: the classes of CIFAR-100 in a random split of 64 / 16 / 20; 32 pixels.

Read from class folders `data/<class>/<image>` with the lists `splits/bertinetto/{train,val,test}.txt`, in the folder
itself or in `cifar100` below it; from class folders by split, `<split>/<class>/<image>`; from the pickles
`CIFAR_FS_{train,val,test}.pickle`; or from the python archive of CIFAR-100.
Reference: Bertinetto et al., "Meta-learning with differentiable closed-form solvers", ICLR 2019.
"""

from pathlib import Path

from alfa_md.data.images.builds import equal_classes, recognise_build
from alfa_md.data.images.cifar100 import find_cifar100, open_cifar100
from alfa_md.data.images.file_per_split import SPLIT_WORDS, find_split_file
from alfa_md.data.images.folder import listed_classes
from alfa_md.data.images.image_files import ImageFiles, find_split_folder, list_split_classes
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.labelled_pixels import open_labelled_pixels
from alfa_md.data.images.split_lists import SplitLists, find_lists
from alfa_md.data.images.transform import CIFAR, Transform
from alfa_md.errors import MissingSource, UserError

TRANSFORM = Transform(size=32, filter="bicubic", **CIFAR)

FILES = {split: tuple(f"CIFAR_FS_{word}.pickle" for word in words) for split, words in SPLIT_WORDS.items()}
BUILDS = {"CIFAR-FS, Bertinetto et al., 60 000 images": equal_classes(600, train=64, valid=16, test=20)}
CONTENT = (
    "cifar100/data/<class>/<image> with cifar100/splits/bertinetto/{train,val,test}.txt, "
    "{train,val,test}/<class>/<image>, CIFAR_FS_{train,val,test}.pickle, or cifar-100-python (also beside it)"
)
# The published split; all other classes of CIFAR-100 are for training.
VALID = tuple(
    "beaver beetle butterfly camel cattle crab crocodile flatfish lamp maple_tree motorcycle otter sea shark "
    "television tractor".split()
)
TEST = tuple(
    "baby bed bicycle chimpanzee fox leopard man pickup_truck plain poppy rocket rose snail sweet_pepper table "
    "telephone wardrobe whale woman worm".split()
)


def open_split(folder: Path, split: str) -> ImageSet:
    """The images of one split.

    Raises MissingSource or MissingSplit if there are none, UserError for a damaged file, an empty class, or lists that
    do not match the folders.
    """
    for place in (folder / "cifar100", folder):
        if (place / "data").is_dir():
            return _from_lists(place, split)
        if place.is_dir() and (classes := find_split_folder(place, split)):
            return _image_files(list_split_classes(classes, split), split, "class folders by split")
    if path := find_split_file(folder, FILES, split):
        return open_labelled_pixels(path, split, BUILDS)
    if archive := find_cifar100(folder):
        return open_cifar100(archive, split, lambda name, _: _split_of(name) == split, BUILDS)
    raise MissingSource(f"{folder}: holds no CIFAR-FS; it should hold {CONTENT}")


def _from_lists(place: Path, split: str) -> ImageFiles:
    lists = find_lists(place / "splits" / "bertinetto") or _published_lists(place / "data")
    return _image_files(listed_classes(place / "data", lists, split), split, "class folders and split lists")


def _image_files(classes: dict, split: str, layout: str) -> ImageFiles:
    build = recognise_build(BUILDS, split, [len(files.names) for files in classes.values()])
    return ImageFiles(classes, {"layout": layout, "build": build})


def _published_lists(data: Path) -> SplitLists:
    names = sorted(path.name for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not {*VALID, *TEST} <= set(names):  # not the classes of CIFAR-100
        lists = data.parent / "splits" / "bertinetto" / "{train,val,test}.txt"
        raise UserError(f"{data}: has other classes than CIFAR-100, and the lists {lists} are missing; add these")
    return SplitLists(data, {split: tuple(name for name in names if _split_of(name) == split) for split in FILES})


def _split_of(name: str) -> str:
    return "valid" if name in VALID else "test" if name in TEST else "train"
