"""Opening of image files by Pillow: its list of formats, and limits of size that hold before pixels are decoded."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from alfa_md.errors import UserError

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")  # for other formats Pillow may start another program
MAX_PIXELS = 89_478_485  # width x height, Pillow's own limit: a quarter of a gigabyte in RGB
MAX_SIDE = 65_500  # pixels, the limit of libjpeg; the memory of Pillow's resize grows with it

# Exceptions that Pillow raises for damaged files of these formats.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, Image.DecompressionBombError)

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # what it warns of is refused here


class UnreadableImage(UserError):
    """An image that is missing, damaged, too large, or of a format or mode that is not read."""


@contextmanager
def open_image(file: Path | str, content: bytes | None = None) -> Iterator[Image.Image]:
    """The image in a file, or in `content`, with `file` as its name in errors; its pixels are decoded on first use.

    Raises UnreadableImage, also for errors of the block that uses it.
    """
    try:
        with Image.open(file if content is None else io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise Image.DecompressionBombError
            yield image
    except Image.DecompressionBombError as error:
        limit = f"more than {MAX_PIXELS} pixels, or a side of more than {MAX_SIDE}"
        raise UnreadableImage(f"{file}: claims {limit}; save it in a smaller size or remove it") from error
    except BROKEN as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not a readable image"
        raise UnreadableImage(f"{file}: {reason}; replace it or remove it") from error
