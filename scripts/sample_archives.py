"""Class folders of pictures from archives of encoded images, the form in which small samples of data sets are kept.

An archive `NAME_subset.npz` has the encoded images one after another in `jpeg` [bytes], of which image i is
`jpeg[offset[i]:offset[i + 1]]`, with `label` [N], `class_names`, and in some `class_split` by Meta-Dataset.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from alfa_md.errors import UserError
from alfa_md.system.files import write_json

SPLITS = ("train", "valid", "test")


def unpack_archive(archive: Path, folder: Path) -> Path:
    """Writes `folder`/<class>/<number>.jpg, unless done before, and returns the folder. Raises UserError if missing."""
    done = folder / ".unpacked.json"
    if not done.exists():
        arrays = load_archive(archive)
        names = [safe_name(name) for name in arrays["class_names"].tolist()]
        offsets, content = arrays["offset"].tolist(), arrays["jpeg"]
        for number, label in enumerate(arrays["label"].tolist()):
            (folder / names[label]).mkdir(parents=True, exist_ok=True)
            image = content[offsets[number] : offsets[number + 1]].tobytes()
            (folder / names[label] / f"{number:05d}.jpg").write_bytes(image)
        if "class_split" in arrays:
            splits = arrays["class_split"].tolist()
            pairs = list(zip(names, splits, strict=True))
            write_json(folder / "splits.json", {part: [name for name, own in pairs if own == part] for part in SPLITS})
        write_json(done, {"images": len(arrays["label"])})
    return folder


def load_archive(archive: Path) -> Mapping[str, np.ndarray]:
    """The arrays of an archive. Raises UserError if it is missing or no such archive."""
    try:
        with np.load(archive) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{archive}: is no archive of encoded images; see the head of {__name__}") from error


def safe_name(name: str) -> str:
    """A class name as a folder name."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
