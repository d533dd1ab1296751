"""Pixels of PNGs of every type of colour and depth: TensorFlow's, or a refusal where it refuses."""

import struct
import zlib
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from tests.data.tfrecord.agreement import NOT_WHOLE, outcomes

SIDE = 13
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by type of colour
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
WHOLE, ADAM7 = (
    [(0, 0, 1, 1)],
    [  # first column and row of each pass, and steps
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ],
)


def chunk(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    colour: int,
    depth: int,
    interlaced: bool = False,
    extra: bytes = b"",
    end: bytes = chunk(b"IEND"),
    pack: Callable[[bytes], bytes] = zlib.compress,
) -> bytes:
    """A square PNG of noise, `extra` before its pixels, which `pack` compresses, and `end` after them."""
    rng, rows = np.random.RandomState(depth), b""
    for left, top, across, down in ADAM7 if interlaced else WHOLE:
        width, height = -(-(SIDE - left) // across), -(-(SIDE - top) // down)
        for _ in range(height):
            filtered = rng.randint(0, 256, (width * CHANNELS[colour] * depth + 7) // 8).astype(np.uint8).tobytes()
            rows += bytes([rng.randint(5)]) + filtered
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", rng.bytes(3 * 2**depth)) if colour == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra + chunk(b"IDAT", pack(rows)) + end


@pytest.mark.parametrize("colour", CHANNELS)
def test_types_of_colour_and_depths(colour):
    transparency = {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: b"\0\x80"}.get(colour)
    extras = [
        *(b"", chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"sBIT", b"\1" * {3: 3}.get(colour, CHANNELS[colour]))),
        *(chunk(b"sRGB", b"\0"), chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"tEXt", b"a\0b")[:-1] + b"?"),
        *([chunk(b"tRNS", transparency)] if transparency else []),
    ]
    images = [png(colour, *each) for each in product(DEPTHS[colour], (False, True), extras)]
    images += [png(colour, 8) + b"after the end"]
    assert outcomes(images, SIDE) == ["equal"] * len(images)


def test_damaged_chunks():
    whole = png(2, 8)
    pixels = whole.index(b"IDAT")
    end = len(whole) - 12
    images = [
        whole[: end - 1] + bytes([whole[end - 1] ^ 1]) + whole[end:],  # the checksum of pixels, which Pillow ignores
        whole[:end],
        whole[:-1],
        whole[:-1] + b"?",
        whole[: pixels + 4],
        png(2, 8, extra=chunk(b"ABCD")),
        png(2, 8, end=chunk(b"ABCD") + chunk(b"IEND")),
        png(3, 8).replace(b"PLTE", b"pLTE"),
        png(3, 8)[:33] + png(3, 8)[33 + 12 + 768 :],
        whole[:33] + whole[8:],
        png(2, 8, end=chunk(b"IHDR", whole[16:29]) + chunk(b"IEND")),
        whole[:8] + chunk(b"IHDR", whole[16:28] + b"\7") + whole[33:],
    ]
    assert outcomes(images, SIDE) == [NOT_WHOLE] * len(images)


def test_pixels_in_several_chunks():
    image = png(2, 8)
    start, end = image.index(b"IDAT") - 4, len(image) - 12
    content = image[start + 8 : end - 4]
    parts = chunk(b"IDAT", content[:50]) + chunk(b"IDAT", b"") + chunk(b"IDAT", content[50:])
    assert outcomes([image[:start] + parts + image[end:]], SIDE) == ["equal"]


def unfinished(rows: bytes) -> bytes:
    """Compressed rows without the end of the stream."""
    compressor = zlib.compressobj()
    return compressor.compress(rows) + compressor.flush(zlib.Z_SYNC_FLUSH)


ENDS = {
    "a row": lambda rows: zlib.compress(rows[: -(len(rows) // SIDE)]),
    "a byte": lambda rows: zlib.compress(rows[:-1]),
    "all rows": lambda rows: zlib.compress(b""),
    "a row and the end": lambda rows: unfinished(rows[: -(len(rows) // SIDE)]),
}


@pytest.mark.parametrize("missing", ENDS)
def test_missing_rows_with_valid_checksums(missing):
    images = [
        png(colour, depth, interlaced, pack=ENDS[missing])
        for colour, depths in DEPTHS.items()
        for depth in depths
        for interlaced in (False, True)
    ]
    assert outcomes(images, SIDE) == [NOT_WHOLE] * len(images)


def test_rows_of_zeros_and_more_rows_than_needed():
    kinds = [(colour, depth, interlaced) for colour in DEPTHS for depth in DEPTHS[colour] for interlaced in (0, 1)]
    black = [png(*kind, pack=lambda rows: zlib.compress(bytes(len(rows)))) for kind in kinds]
    longer = [png(*kind, pack=lambda rows: zlib.compress(bytes(len(rows) + 1))) for kind in kinds]
    assert outcomes(black + longer, SIDE) == ["equal"] * (2 * len(kinds))
