"""Tiny picture files of one colour each, in the formats of original data."""

from pathlib import Path

from PIL import Image


def save(file: Path, number: int, size: tuple[int, int] = (8, 6)) -> Path:
    """A picture whose format is that of the name's ending and whose colour tells its number."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (number % 256, number // 256 % 256, 99)).save(file)
    return file
