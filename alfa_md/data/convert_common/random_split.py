"""Meta-Dataset's random class splits (fixed seed), split files, and flat specifications."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from alfa_md.data.listed_files import match_names
from alfa_md.data.spec import SPLITS, DatasetSpec
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_name_lists

SEED = 22  # of the published splits

SplitNames = dict[str, list[str]]  # train, valid, test -> class names in class id order


def random_split(names: Sequence[str], sizes: tuple[int, int, int]) -> SplitNames:
    """Class names, given in the source's order, split into train, valid and test of these sizes.

    Training classes are in the order in which they were drawn, the others in the source's order. Equal to the published
    splits for every source that Meta-Dataset splits at random.
    """
    num_train, num_valid, num_test = sizes
    if len(names) != sum(sizes):
        raise ValueError(f"{len(names)} classes do not divide into {sizes}")
    rng = np.random.RandomState(SEED)
    train_and_valid = rng.choice(len(names), num_train + num_valid, replace=False)
    train = rng.choice(train_and_valid, num_train, replace=False)
    valid = np.sort(np.setdiff1d(train_and_valid, train))
    test = np.sort(np.setdiff1d(np.arange(len(names)), train_and_valid))
    return {split: [names[i] for i in ids] for split, ids in zip(SPLITS, (train, valid, test), strict=True)}


def load_or_draw_split(source_dir: Path, source: str, names: Sequence[str], sizes: tuple[int, int, int]) -> SplitNames:
    """The split of the official file `<source_dir>/<source>_splits.json` if it exists, else the random split.

    Raises UserError for a file that does not list exactly these classes.
    """
    file = source_dir / f"{source}_splits.json"
    return read_split(file, names) if file.exists() else random_split(names, sizes)


def read_split(file: Path, names: Sequence[str]) -> SplitNames:
    """The split in a JSON file. Raises UserError if it does not list exactly these classes."""
    content = read_name_lists(file, "remove or mend it")
    if not set(SPLITS) <= content.keys():
        raise UserError(f"{file}: is no JSON object of the lists train, valid and test; remove or mend it")
    split = {part: match_names(content[part], names) for part in SPLITS}
    check_listed_classes(file, [name for part in SPLITS for name in split[part]], names)
    return split


def check_listed_classes(file: Path, listed: Sequence[str], names: Sequence[str]) -> None:
    """Raise UserError if a split file does not list each of these classes once."""
    if sorted(listed) != sorted(names):
        different = sorted(set(listed) ^ set(names)) or ["a class twice"]
        raise UserError(f"{file}: does not divide the classes that are there ({different[0][:100]}); remove or mend it")


def flat_spec(source: str, split: Mapping[str, Sequence[str]], images: Mapping[str, int]) -> DatasetSpec:
    """A flat specification: classes in the order of `split`, image counts by class name."""
    names = tuple(name for part in SPLITS for name in split[part])
    return DatasetSpec(
        name=source,
        class_names=names,
        images_per_class=tuple(images[name] for name in names),
        classes_per_split={part: len(split[part]) for part in SPLITS},
    )
