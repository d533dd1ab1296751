"""PNG decoding by Pillow with the pixels of TensorFlow."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL.PngImagePlugin import PngImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3  # type of colour
CHANNELS = {0: 1, 2: 3, PALETTE: 1, 4: 2, 6: 4}  # by type of colour
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # passes
METHODS = (b"\0\0\0", b"\0\0\1")  # of compression, filter, and interlacing


def decode_png(png: bytes, pixels: np.ndarray) -> None:
    """Decode into `pixels` [H, W, 3] uint8, without transparency; of 16 bits the high byte.

    Raises ValueError, OSError, SyntaxError or struct.error for a damaged image.
    """
    whole = checked(png)
    with PngImageFile(io.BytesIO(whole)) as image:
        image.load()
        if (png[28] or _ends_black(image)) and _bytes_of_rows(whole) < _bytes_expected(whole):
            raise ValueError("rows are missing, which Pillow leaves black")
        image.info.pop("transparency", None)  # which Pillow would convert too, or warn that it cannot
        if image.mode == "I;16":
            pixels[...] = (np.asarray(image) >> 8)[..., np.newaxis]  # Pillow would clip
        else:
            pixels[...] = image.convert("RGB")


def checked(png: bytes) -> bytes:
    """The image without damaged chunks that it can do without, which libpng ignores.

    Raises ValueError for another chunk that is damaged, misplaced or missing: Pillow checks neither the checksum of
    pixels nor the end. A length that is cut off raises struct.error.
    """
    position, name, critical, damaged = len(SIGNATURE), b"", [], []
    while name != b"IEND":
        follows, (length, name) = name, struct.unpack_from(">I4s", png, position)
        end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", png, end)
        chunk, position = slice(position, end + 4), end + 4
        is_whole = zlib.crc32(memoryview(png)[chunk.start + 4 : end]) == checksum
        if not name[0] & 32:  # it cannot do without
            if not is_whole:
                raise ValueError(f"chunk {name!r} is damaged")
            if not name == follows == b"IDAT":  # pixels may be in several chunks
                critical.append(name)
        elif not is_whole:
            damaged.append(chunk)
    _require_order(critical, png[25], png[26:29])
    for chunk in reversed(damaged):
        png = png[: chunk.start] + png[chunk.stop :]
    return png


def _ends_black(image: PngImageFile) -> bool:
    """True if the values of the last row are 0, as those of a missing row are."""
    last = image.crop((0, image.height - 1, image.width, image.height))
    return last.getbbox(alpha_only=False) is None


def _bytes_of_rows(png: bytes) -> int:
    """The number of bytes that the chunks of pixels hold, at most one more than there should be."""
    inflate, limit, number, position, name = zlib.decompressobj(), _bytes_expected(png) + 1, 0, len(SIGNATURE), b""
    while name != b"IEND" and number < limit:
        length, name = struct.unpack_from(">I4s", png, position)
        if name == b"IDAT":
            number += len(_inflated(inflate, png[position + 8 : position + 8 + length], limit - number))
        position += length + 12
    return number


def _inflated(inflate: Any, content: bytes, limit: int) -> bytes:
    try:
        return inflate.decompress(content, limit)
    except zlib.error as error:
        raise ValueError("damaged pixels") from error


def _bytes_expected(png: bytes) -> int:
    """The number of bytes of all rows, each after the byte of its filter (PNG specification, 7.2 and 8)."""
    width, height, depth, colour = struct.unpack_from(">IIBB", png, 16)
    bits = depth * CHANNELS[colour]

    def size(columns: int, rows: int) -> int:
        return rows * (1 + (columns * bits + 7) // 8) if columns else 0

    if not png[28]:
        return size(width, height)
    return sum(size(len(range(x, width, dx)), len(range(y, height, dy))) for x, y, dx, dy in ADAM7)


def _require_order(critical: list[bytes], colour: int, methods: bytes) -> None:
    """Raise ValueError if the critical chunks are not those of an image with this type of colour and these methods."""
    palettes = critical[1:-2]
    if critical != [b"IHDR", *palettes, b"IDAT", b"IEND"] or palettes not in ([], [b"PLTE"]):
        raise ValueError(f"chunks {critical}")
    if methods not in METHODS or (colour == PALETTE and not palettes):
        raise ValueError("unknown methods or no palette")
