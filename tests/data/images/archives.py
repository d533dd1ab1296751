"""Tiny synthetic archives in the layouts of the published image data sets."""

import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from alfa_md.data.images import cifar_fs, fc100

WORDS = {"train": "train", "valid": "val", "test": "test"}
Pictures = dict[str, np.ndarray]  # class -> [N, side, side, 3] uint8
Splits = dict[str, Pictures]


class Python2Pickler(pickle._Pickler):
    """Writes as Python 2 with NumPy 1 did: bytes and texts are the same, and modules have their old names."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value: bytes | str) -> None:
        encoded = value.encode("latin-1") if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(encoded)) + encoded)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = save_string


def python2_pickle(value) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue().replace(b"cnumpy._core.", b"cnumpy.core.")


def write_pickle(path: Path, value, python2: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(python2_pickle(value) if python2 else pickle.dumps(value))


def pictures(names, seed: int, count: int = 3, side: int = 8) -> Pictures:
    random = np.random.default_rng(seed)
    return {name: random.integers(0, 256, (count, side, side, 3), dtype=np.uint8) for name in names}


def splits(side: int = 8) -> Splits:
    """Two or three classes in each split, their names in no order."""
    names = {"train": ("n03", "n01", "n02"), "valid": ("n05", "n04"), "test": ("n07", "n06")}
    return {split: pictures(group, seed, side=side) for seed, (split, group) in enumerate(names.items())}


def shuffled(classes: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """The images of all classes mixed, and the number of the class of each; within a class in order."""
    labels = np.repeat(np.arange(len(classes)), [len(images) for images in classes.values()])
    labels = np.random.default_rng(5).permutation(labels)
    queues = [iter(images) for images in classes.values()]
    return np.stack([next(queues[label]) for label in labels]), labels


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def class_folders(folder: Path, classes: Pictures) -> None:
    for name, images in classes.items():
        (folder / name).mkdir(parents=True)
        for number, pixels in enumerate(images):
            Image.fromarray(pixels).save(folder / name / f"{name}_{number}.png")


def split_folders(folder: Path) -> Splits:
    all_splits = splits()
    for split, classes in all_splits.items():
        class_folders(folder / WORDS[split], classes)
    return all_splits


def mini_cache(folder: Path, valid: str = "val", python2: bool = False) -> Splits:
    all_splits = splits(side=84)
    for split, classes in all_splits.items():
        images, labels = shuffled(classes)
        members = {name: np.flatnonzero(labels == label).tolist() for label, name in enumerate(classes)}
        word = valid if split == "valid" else split
        content = {"image_data": images, "class_dict": members}
        write_pickle(folder / f"mini-imagenet-cache-{word}.pkl", content, python2)
    return all_splits


def tiered_pickles(folder: Path, item: Callable[[np.ndarray], object], named: bool, python2: bool) -> Splits:
    all_splits = splits(side=84)
    for split, classes in all_splits.items():
        images, labels = shuffled(classes)
        content = {"label_specific": labels.astype(np.int32), "label_general": labels // 2}
        if named:
            content |= {"label_specific_str": list(classes), "label_general_str": ["all"]}
        else:
            all_splits[split] = {f"{label:04d}": images for label, images in enumerate(classes.values())}
        write_pickle(folder / f"{WORDS[split]}_images_png.pkl", [item(pixels) for pixels in images], python2)
        write_pickle(folder / f"{WORDS[split]}_labels.pkl", content, python2)
    return all_splits


def opencv_array(pixels: np.ndarray) -> np.ndarray:
    """An encoded image [bytes, 1] uint8, as OpenCV returns it."""
    return np.frombuffer(encoded(pixels), np.uint8)[:, np.newaxis]


def labelled_pixels(folder: Path, prefix: str, python2: bool = False) -> Splits:
    """Labels go on from split to split, as the fine labels of CIFAR-100 do."""
    all_splits = splits(side=32)
    first = 0
    for split, classes in all_splits.items():
        images, labels = shuffled(classes)
        content = {"data": images, "labels": (labels + first).tolist()}
        write_pickle(folder / f"{prefix}_{WORDS[split]}.pickle", content, python2)
        all_splits[split] = {f"{first + label:03d}": images for label, images in enumerate(classes.values())}
        first += len(classes)
    return all_splits


def cifar_lists(folder: Path) -> Splits:
    all_splits = splits(side=32)
    lists = folder / "cifar100" / "splits" / "bertinetto"
    lists.mkdir(parents=True)
    for split, classes in all_splits.items():
        class_folders(folder / "cifar100" / "data", classes)
        (lists / f"{WORDS[split]}.txt").write_text("".join(f"{name}\n" for name in classes))
    return all_splits


FINE = tuple(sorted([*cifar_fs.VALID, *cifar_fs.TEST, *(f"training_{n:02d}" for n in range(64))]))


def cifar100(place: Path, split_of: Callable[[int], str]) -> Splits:
    """100 classes with 2 images in `train` and 1 in `test`; class n is of superclass n % 20."""
    classes = pictures(FINE, seed=9, side=32)
    for part, numbers in (("train", slice(0, 2)), ("test", slice(2, 3))):
        images, labels = shuffled({name: images[numbers] for name, images in classes.items()})
        rows = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)
        content = {"data": rows, "fine_labels": labels.tolist(), "coarse_labels": (labels % 20).tolist()}
        write_pickle(place / part, content, python2=True)
    write_pickle(place / "meta", {"fine_label_names": list(FINE), "coarse_label_names": ["some"] * 20}, python2=True)
    return {
        split: {name: classes[name] for label, name in enumerate(FINE) if split_of(label) == split} for split in WORDS
    }


def packed_cifar100(folder: Path, split_of: Callable[[int], str]) -> Splits:
    all_splits = cifar100(folder / "unpacked", split_of)
    with tarfile.open(folder / "cifar-100-python.tar.gz", "w:gz") as packed:
        packed.add(folder / "unpacked", "cifar-100-python")
    return all_splits


def bertinetto(label: int) -> str:
    return {**dict.fromkeys(cifar_fs.VALID, "valid"), **dict.fromkeys(cifar_fs.TEST, "test")}.get(FINE[label], "train")


def oreshkin(label: int) -> str:
    return next(split for split, numbers in fc100.SUPERCLASSES.items() if label % 20 in numbers)


class Layout(NamedTuple):
    """`write(folder)` writes data set `name` as it lies in its folder, and returns what must be read back."""

    name: str
    write: Callable[[Path], Splits]


LAYOUTS = {
    "mini cache": Layout("mini_imagenet", mini_cache),
    "mini cache of python 2": Layout("mini_imagenet", lambda folder: mini_cache(folder, "validation", python2=True)),
    "tiered": Layout("tiered_imagenet", lambda f: tiered_pickles(f, opencv_array, named=True, python2=True)),
    "tiered below": Layout(
        "tiered_imagenet", lambda f: tiered_pickles(f / "tiered-imagenet", encoded, named=True, python2=False)
    ),
    "tiered bytes of python 2": Layout(
        "tiered_imagenet", lambda f: tiered_pickles(f, encoded, named=False, python2=True)
    ),
    "tiered folders": Layout("tiered_imagenet", split_folders),
    "CIFAR-FS lists": Layout("cifar_fs", cifar_lists),
    "CIFAR-FS folders": Layout("cifar_fs", split_folders),
    "CIFAR-FS pickles": Layout("cifar_fs", lambda f: labelled_pixels(f, "CIFAR_FS")),
    "CIFAR-FS archive": Layout("cifar_fs", lambda f: cifar100(f / "cifar-100-python", bertinetto)),
    "CIFAR-FS packed": Layout("cifar_fs", lambda f: packed_cifar100(f, bertinetto)),
    "FC100 pickles": Layout("fc100", lambda f: labelled_pixels(f, "FC100", python2=True)),
    "FC100 folders": Layout("fc100", split_folders),
    "FC100 archive beside": Layout("fc100", lambda f: cifar100(f.parent / "cifar-100-python", oreshkin)),
}
