"""JPEG encoding of image files for records."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from PIL import Image

from alfa_md.data.convert_common.plan import Copied, Unreadable
from alfa_md.data.image_modes import load_eight_bits
from alfa_md.data.open_image import UnreadableImage, open_image

__all__ = ["UnreadableImage", "encode_jpeg", "read_as_jpeg", "transform_to_jpeg"]


T = TypeVar("T")


def encode_jpeg(image: Image.Image) -> bytes:
    """JPEG bytes at Pillow's default quality, as Meta-Dataset re-encodes images."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG")
    return buffer.getvalue()


def read_each(read: Callable[[T], bytes | Copied], files: Iterable[T]) -> Iterator[bytes | Copied | Unreadable]:
    """Yields `read(file)` for each file, Unreadable for those for which it raises UnreadableImage."""
    for file in files:
        try:
            yield read(file)
        except UnreadableImage as error:
            yield Unreadable(str(file), str(error))


def read_as_jpeg(file: Path) -> bytes | Copied:
    """The bytes of an RGB JPEG file unchanged; any other image converted to RGB and encoded as JPEG.

    Raises UnreadableImage naming the file.
    """
    with open_image(file) as image:
        if image.format == "JPEG" and image.mode == "RGB":
            return Copied(file, file.read_bytes())
        return encode_jpeg(load_eight_bits(image, file).convert("RGB"))


def transform_to_jpeg(file: Path, transform: Callable[[Image.Image], Image.Image]) -> bytes:
    """An image file converted to RGB, transformed, and encoded as JPEG. Raises UnreadableImage naming the file."""
    with open_image(file) as image:
        return encode_jpeg(transform(load_eight_bits(image, file).convert("RGB")))
