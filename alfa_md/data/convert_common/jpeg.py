"""Picture files as the encoded images of records."""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from alfa_md.errors import UserError

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow makes of broken pictures


class UnreadableImage(UserError):
    """A file that Pillow cannot read as a picture."""


def encode_jpeg(image: Image.Image) -> bytes:
    """A JPEG of Pillow's default quality, which Meta-Dataset uses for every image that it encodes again."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG")
    return buffer.getvalue()


def read_as_jpeg(file: Path) -> bytes:
    """A coloured JPEG file byte by byte, without decoding it; any other picture in RGB and encoded as JPEG.

    Raises UnreadablePicture naming the file.
    """
    try:
        content = file.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.format == "JPEG" and image.mode == "RGB":
                return content
            return encode_jpeg(image.convert("RGB"))
    except UNREADABLE as error:
        raise _unreadable(file, error) from error


def transform_to_jpeg(file: Path, change: Callable[[Image.Image], Image.Image]) -> bytes:
    """A picture in RGB, changed, and encoded as JPEG. Raises UnreadablePicture naming the file."""
    try:
        with Image.open(file) as image:
            return encode_jpeg(change(image.convert("RGB")))
    except UNREADABLE as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> UnreadableImage:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not a readable image"
    return UnreadableImage(f"{file}: {reason}; unpack the original files again")
