"""Converter of Omniglot: alphabets are superclasses, characters are classes, strokes are light on dark.

Reads the folders `images_background` and `images_evaluation` of the original archives. The evaluation alphabets are the
test split; five background alphabets are the validation split, in the order below, and the other 25 are for training.
Reference: Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 2015; splits of Triantafillou et al., "Meta-Dataset", ICLR 2020.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import ImageChops

from alfa_md.data.convert_common.jpeg import read_each, transform_to_jpeg
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import file_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Copied, Plan, Unreadable
from alfa_md.data.spec import BiLevelSpec

DRAWERS = 20  # each drew every character once
BACKGROUND, EVALUATION = "images_background", "images_evaluation"
REMEDY = f"unpack {BACKGROUND}.zip and {EVALUATION}.zip of Omniglot there"

# Characters of each alphabet, the alphabets in superclass order.
TRAIN = {
    "Anglo-Saxon_Futhorc": 29,
    "Arcadian": 26,
    "Armenian": 41,
    "Asomtavruli_(Georgian)": 40,
    "Balinese": 24,
    "Bengali": 46,
    "Braille": 26,
    "Burmese_(Myanmar)": 34,
    "Cyrillic": 33,
    "Early_Aramaic": 22,
    "Futurama": 26,
    "Grantha": 43,
    "Greek": 24,
    "Gujarati": 48,
    "Hebrew": 22,
    "Japanese_(hiragana)": 52,
    "Japanese_(katakana)": 47,
    "Korean": 40,
    "Latin": 26,
    "Malay_(Jawi_-_Arabic)": 40,
    "Mkhedruli_(Georgian)": 41,
    "N_Ko": 33,
    "Sanskrit": 42,
    "Syriac_(Estrangelo)": 23,
    "Tifinagh": 55,
}
VALID = {
    "Blackfoot_(Canadian_Aboriginal_Syllabics)": 14,
    "Ojibwe_(Canadian_Aboriginal_Syllabics)": 14,
    "Inuktitut_(Canadian_Aboriginal_Syllabics)": 16,
    "Tagalog": 17,
    "Alphabet_of_the_Magi": 20,
}
TEST = {
    "Angelic": 20,
    "Atemayar_Qelisayer": 26,
    "Atlantean": 26,
    "Aurek-Besh": 26,
    "Avesta": 26,
    "Ge_ez": 26,
    "Glagolitic": 45,
    "Gurmukhi": 45,
    "Kannada": 41,
    "Keble": 26,
    "Malayalam": 47,
    "Manipuri": 40,
    "Mongolian": 30,
    "Old_Church_Slavonic_(Cyrillic)": 45,
    "Oriya": 46,
    "Sylheti": 28,
    "Syriac_(Serto)": 23,
    "Tengwar": 25,
    "Tibetan": 42,
    "ULOG": 26,
}


class Character(NamedTuple):
    """One class: its alphabet and the number of its folder, from 1."""

    alphabet: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.alphabet}-character{self.number:02d}"

    @property
    def folder(self) -> Path:
        """Path of its images relative to the source directory."""
        part = EVALUATION if self.alphabet in TEST else BACKGROUND
        return Path(part, self.alphabet, f"character{self.number:02d}")


class DrawnCharacters(NamedTuple):
    """The inverted images of a class id, in drawer order."""

    folders: list[Path]

    def __call__(self, class_id: int) -> Iterator[bytes | Copied | Unreadable]:
        folder = self.folders[class_id]
        files = (folder / name for name in file_names(folder, ".png"))
        return read_each(partial(transform_to_jpeg, transform=ImageChops.invert), files)


def plan(source_dir: Path) -> Plan:
    """The plan of the 1623 characters, 20 images each. Raises UserError naming missing folders or images."""
    characters = all_characters()
    require_originals(source_dir, REMEDY, folders=(BACKGROUND, EVALUATION))
    alphabets = [Path(BACKGROUND, name) for name in TRAIN | VALID] + [Path(EVALUATION, name) for name in TEST]
    require_originals(source_dir, REMEDY, folders=map(str, alphabets))
    counts = [(c.folder, len(_drawings(source_dir / c.folder))) for c in characters]
    raise_if_any(source_dir, [f"{path} has {n} images, not {DRAWERS}" for path, n in counts if n != DRAWERS], REMEDY)
    images = DrawnCharacters([source_dir / character.folder for character in characters])
    used = {folder / name for folder in images.folders for name in _drawings(folder)}
    parts = [(source_dir / part, {file for file in used if part in file.parts}) for part in (BACKGROUND, EVALUATION)]
    return Plan(omniglot_spec(), images, notes=sum((report_unused(*part) for part in parts), ()))


def all_characters() -> list[Character]:
    """All classes in class id order."""
    return [Character(name, n) for name, count in (TRAIN | VALID | TEST).items() for n in range(1, count + 1)]


def omniglot_spec() -> BiLevelSpec:
    """The bi-level specification of all characters."""
    characters = all_characters()
    splits = {"train": TRAIN, "valid": VALID, "test": TEST}
    alphabets = TRAIN | VALID | TEST
    return BiLevelSpec(
        name="omniglot",
        class_names=tuple(character.name for character in characters),
        images_per_class=(DRAWERS,) * len(characters),
        classes_per_split={split: sum(counts.values()) for split, counts in splits.items()},
        superclass_names=tuple(alphabets),
        classes_per_superclass=tuple(alphabets.values()),
        superclasses_per_split={split: len(counts) for split, counts in splits.items()},
    )


def _drawings(folder: Path) -> list[str]:
    return file_names(folder, ".png") if folder.is_dir() else []
