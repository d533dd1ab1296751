"""Reads figures back."""

from pathlib import Path
from xml.etree import ElementTree

from PIL import Image


def opened(path: Path) -> Image.Image | ElementTree.Element:
    """The pixels of a PNG, decoded to the end, or the root of an SVG; raises where the file is neither."""
    if path.suffix == ".svg":
        return ElementTree.parse(path).getroot()
    with Image.open(path, formats=["PNG"]) as image:
        image.load()
        return image.copy()


def texts(path: Path) -> list[str]:
    """What is written in an SVG."""
    return [node.text or "" for node in opened(path).iter() if node.tag.endswith("}text")]


def is_drawn(path: Path) -> bool:
    """Whether a PNG is more than paper."""
    return len(opened(path).convert("RGB").getcolors(1 << 20)) > 10
