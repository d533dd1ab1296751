"""Tiny single-colour image files in the formats of original data."""

from pathlib import Path

from PIL import Image


def save(file: Path, number: int, size: tuple[int, int] = (8, 6)) -> Path:
    """Writes an image whose format is given by the file's extension and whose colour encodes `number`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (number % 256, number // 256 % 256, 99)).save(file)
    return file
