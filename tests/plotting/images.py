"""Helpers that read figures back."""

from pathlib import Path
from xml.etree import ElementTree

from PIL import Image


def opened(path: Path) -> Image.Image | ElementTree.Element:
    """The decoded pixels of a PNG, or the root of an SVG; raises for other files."""
    if path.suffix == ".svg":
        return ElementTree.parse(path).getroot()
    with Image.open(path, formats=["PNG"]) as image:
        image.load()
        return image.copy()


def texts(path: Path) -> list[str]:
    """The texts in an SVG."""
    return [node.text or "" for node in opened(path).iter() if node.tag.endswith("}text")]


def is_drawn(path: Path) -> bool:
    """True if a PNG is not blank."""
    return len(opened(path).convert("RGB").getcolors(1 << 20)) > 10
