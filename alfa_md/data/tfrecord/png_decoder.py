"""PNG decoding by Pillow with the pixels of TensorFlow."""

import io
import struct
import zlib

import numpy as np
from PIL.PngImagePlugin import PngImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3  # type of colour
METHODS = (b"\0\0\0", b"\0\0\1")  # of compression, filter, and interlacing


def decode_png(png: bytes, pixels: np.ndarray) -> None:
    """Decode into `pixels` [H, W, 3] uint8, without transparency; of 16 bits the high byte.

    Raises ValueError, OSError, SyntaxError or struct.error for a damaged image.
    """
    with PngImageFile(io.BytesIO(checked(png))) as image:
        image.load()
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


def _require_order(critical: list[bytes], colour: int, methods: bytes) -> None:
    """Raise ValueError if the critical chunks are not those of an image with this type of colour and these methods."""
    palettes = critical[1:-2]
    if critical != [b"IHDR", *palettes, b"IDAT", b"IEND"] or palettes not in ([], [b"PLTE"]):
        raise ValueError(f"chunks {critical}")
    if methods not in METHODS or (colour == PALETTE and not palettes):
        raise ValueError("unknown methods or no palette")
