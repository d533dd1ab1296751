"""Omniglot as a source of Meta-Dataset: alphabets are superclasses, characters classes, strokes light on dark.

Reads the folders `images_background` and `images_evaluation` of the original archives. The evaluation alphabets are the
test split; five background alphabets are the validation split, in the order below, and the other 25 are for training.
Reference: Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 2015; splits of Triantafillou et al., "Meta-Dataset", ICLR 2020.
"""

from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops

from alfa_md.data.conversion import encode_jpeg, write_source
from alfa_md.data.spec import BiLevelSpec
from alfa_md.errors import UserError

DRAWERS = 20  # each drew every character once
BACKGROUND, EVALUATION = "images_background", "images_evaluation"

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
    """One class: its alphabet and the number of its directory, from 1."""

    alphabet: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.alphabet}-character{self.number:02d}"

    @property
    def folder(self) -> Path:
        """Where its images lie below the source directory."""
        part = EVALUATION if self.alphabet in TEST else BACKGROUND
        return Path(part, self.alphabet, f"character{self.number:02d}")


def convert(source_dir: Path, records_root_dir: Path) -> Path:
    """Write the 1623 characters, 20 images each, below `<records_root_dir>/omniglot`; returns that directory.

    Raises UserError, before anything is written, if folders or images are missing.
    """
    characters = all_characters()
    _check_folders(source_dir)
    files = [_image_files(source_dir / character.folder) for character in characters]
    _check_images(source_dir, characters, files)
    return write_source(specification(), records_root_dir, lambda class_id: map(_inverted_jpeg, files[class_id]))


def all_characters() -> list[Character]:
    """The classes in id order."""
    return [Character(name, n) for name, count in (TRAIN | VALID | TEST).items() for n in range(1, count + 1)]


def specification() -> BiLevelSpec:
    """The bi-level specification of the whole source."""
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


def _check_folders(source_dir: Path) -> None:
    """Of a missing tree only the topmost folder is worth a word."""
    parts = [Path(BACKGROUND), Path(EVALUATION)]
    alphabets = [Path(BACKGROUND, name) for name in TRAIN | VALID] + [Path(EVALUATION, name) for name in TEST]
    _refuse(source_dir, [] if source_dir.is_dir() else ["no such folder"])
    for level in (parts, alphabets):
        _refuse(source_dir, [f"folder {path} is missing" for path in level if not (source_dir / path).is_dir()])


def _check_images(source_dir: Path, characters: list[Character], files: list[list[Path]]) -> None:
    counts = zip(characters, map(len, files), strict=True)
    _refuse(source_dir, [f"{c.folder} has {count} images, not {DRAWERS}" for c, count in counts if count != DRAWERS])


def _refuse(source_dir: Path, problems: list[str]) -> None:
    if not problems:
        return
    listed = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
    raise UserError(f"{source_dir}: {listed}; unpack {BACKGROUND}.zip and {EVALUATION}.zip of Omniglot there")


def _image_files(folder: Path) -> list[Path]:
    """The images of a character by drawer; hidden files, as some archivers add them, are none."""
    return sorted(file for file in folder.glob("*.png") if not file.name.startswith("."))


def _inverted_jpeg(file: Path) -> bytes:
    try:
        with Image.open(file) as image:
            return encode_jpeg(ImageChops.invert(image.convert("RGB")))
    except (OSError, SyntaxError) as error:  # Pillow reports a broken PNG as either
        raise UserError(f"{file}: is not a readable image; unpack the archives of Omniglot again") from error
