"""Omniglot in the folders of its original archives, unpacked from one NumPy file of packed bits."""

from pathlib import Path

import numpy as np
from PIL import Image


class PackedOmniglot:
    """The 1623 characters of the file, background alphabets first, each array read once."""

    def __init__(self, npz_path: Path) -> None:
        with np.load(npz_path) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}

    def __len__(self) -> int:
        return len(self.arrays["images"])

    def ink(self, character: int) -> np.ndarray:
        """[20, 105, 105] uint8: the drawing of each drawer, 1 = ink."""
        return np.unpackbits(self.arrays["images"][character], axis=-1, count=105 * 105).reshape(20, 105, 105)

    def alphabet(self, character: int) -> str:
        return str(self.arrays["alphabet_names"][self.arrays["char_alphabet"][character]])

    def name(self, character: int) -> str:
        """The class name of Meta-Dataset."""
        return f"{self.alphabet(character)}-character{self.arrays['char_number'][character]:02d}"

    def folder(self, character: int) -> Path:
        """The folder of a character's images in the original archives."""
        is_evaluation = self.arrays["alphabet_is_evaluation"][self.arrays["char_alphabet"][character]]
        part = "images_evaluation" if is_evaluation else "images_background"
        return Path(part, self.alphabet(character), f"character{self.arrays['char_number'][character]:02d}")


def unpack_omniglot(npz_path: Path, target: Path) -> None:
    """Write all 32,460 images below `target` as the archives have them: 1-bit PNG, dark strokes on white paper."""
    omniglot = PackedOmniglot(npz_path)
    for character in range(len(omniglot)):
        folder = target / omniglot.folder(character)
        folder.mkdir(parents=True)
        prefix = omniglot.arrays["char_file_prefix"][character]
        for drawer, strokes in enumerate(omniglot.ink(character), start=1):
            Image.fromarray(strokes == 0).save(folder / f"{prefix:04d}_{drawer:02d}.png")
