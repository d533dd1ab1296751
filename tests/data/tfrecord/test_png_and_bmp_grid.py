"""Pixels of PNGs and BMPs of every type of colour and depth: TensorFlow's, or a refusal where it refuses."""

import struct
import zlib
from itertools import product

import numpy as np
import pytest
from PIL import Image

from tests.data.tfrecord.agreement import NOT_WHOLE, outcomes
from tests.spliced_jpegs import encoded, smooth

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


def png(colour: int, depth: int, interlaced: bool = False, extra: bytes = b"", end: bytes = chunk(b"IEND")) -> bytes:
    """A square PNG of noise, `extra` before its pixels and `end` after them."""
    rng, rows = np.random.RandomState(depth), b""
    for left, top, across, down in ADAM7 if interlaced else WHOLE:
        width, height = -(-(SIDE - left) // across), -(-(SIDE - top) // down)
        for _ in range(height):
            filtered = rng.randint(0, 256, (width * CHANNELS[colour] * depth + 7) // 8).astype(np.uint8).tobytes()
            rows += bytes([rng.randint(5)]) + filtered
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", rng.bytes(3 * 2**depth)) if colour == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra + chunk(b"IDAT", zlib.compress(rows)) + end


def bmp(bits: int, top_down: bool = False, header: int = 40, colours: int = 0) -> bytes:
    """A square BMP of noise, with a palette of `colours`."""
    rng, row = np.random.RandomState(bits), (SIDE * bits + 31) // 32 * 4
    height, start = -SIDE if top_down else SIDE, 14 + header + 4 * colours
    sizes = struct.pack("<IHHI", start + row * SIDE, 0, 0, start)
    fields = struct.pack("<IiiHHIIiiII", header, SIDE, height, 1, bits, 0, row * SIDE, 0, 0, colours, 0)
    return b"BM" + sizes + fields.ljust(header, b"\0") + rng.bytes(4 * colours) + rng.bytes(row * SIDE)


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


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("header", [40, 124])
def test_bitmaps(top_down, header):
    """Values of 8 bits are grey levels, whatever the palette; TensorFlow knows neither 1, 4 nor 16 bits."""
    decoded = [bmp(24, top_down, header), bmp(32, top_down, header)]
    decoded += [bmp(8, top_down, header, colours) for colours in (0, 7, 256)]
    assert outcomes(decoded, SIDE) == 5 * ["equal"]
    refused = [bmp(bits, top_down, header, colours) for bits, colours in ((1, 2), (4, 16), (16, 0))]
    refused += [decoded[0] + b"?", decoded[0][:-1]]
    assert outcomes(refused, SIDE) == 5 * [NOT_WHOLE]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bitmaps_of_pillow(mode):
    image = encoded(smooth(SIDE, SIDE, mode="RGB").convert(mode), "BMP")
    assert outcomes([image], SIDE) == [NOT_WHOLE if mode == "1" else "equal"]


def test_other_formats_are_refused():
    picture = smooth(SIDE, SIDE, mode="RGB")
    files = [encoded(picture, kind) for kind in ("GIF", "WEBP", "TIFF", "PPM")]
    assert outcomes([*files, encoded(Image.new("1", (SIDE, SIDE)), "GIF")], SIDE) == 5 * [NOT_WHOLE]
