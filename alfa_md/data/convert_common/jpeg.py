"""JPEG encoding of image files for records."""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from alfa_md.errors import UserError

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # Pillow's errors for damaged files


class UnreadableImage(UserError):
    """An image file that Pillow cannot read."""


def encode_jpeg(image: Image.Image) -> bytes:
    """JPEG bytes at Pillow's default quality, as Meta-Dataset re-encodes images."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG")
    return buffer.getvalue()


def read_as_jpeg(file: Path) -> bytes:
    """The bytes of an RGB JPEG file unchanged; any other image converted to RGB and encoded as JPEG.

    Raises UnreadableImage naming the file.
    """
    try:
        content = file.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.format == "JPEG" and image.mode == "RGB":
                return content
            return encode_jpeg(image.convert("RGB"))
    except UNREADABLE as error:
        raise _unreadable(file, error) from error


def transform_to_jpeg(file: Path, transform: Callable[[Image.Image], Image.Image]) -> bytes:
    """An image file converted to RGB, transformed, and encoded as JPEG. Raises UnreadableImage naming the file."""
    try:
        with Image.open(file) as image:
            return encode_jpeg(transform(image.convert("RGB")))
    except UNREADABLE as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> UnreadableImage:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not a readable image"
    return UnreadableImage(f"{file}: {reason}; unpack the original files again")
