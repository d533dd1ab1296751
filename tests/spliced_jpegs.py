"""JPEGs of any sampling factors and segments, spliced out of grey JPEGs of Pillow: every channel is its own scan."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\1\0\1\0\0"
SOF, DHT, DQT, SOS, EOI = (0xC0, 0xC2), 0xC4, 0xDB, 0xDA, 0xD9

Factors = Sequence[tuple[int, int]]  # horizontal and vertical sampling factor of every channel


def adobe(transform: int) -> bytes:
    """Adobe's segment: 0 is RGB or CMYK, 1 YCbCr, 2 YCCK."""
    return b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])


def comment(text: bytes) -> bytes:
    return b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text


def spliced(
    side: int, factors: Factors, head: bytes = b"", progressive: bool = False, before_scans: bytes = b""
) -> bytes:
    """A square JPEG of smooth random channels, with the segments `head` first and `before_scans` after its size."""
    widest, highest = (max(each) for each in zip(*factors, strict=True))
    tables, size, scans = b"", b"", b""
    for channel, (across, down) in enumerate(factors):
        plane = smooth(-(-side * across // widest), -(-side * down // highest), seed=channel)
        for marker, segment, data in _segments(encoded(plane, progressive=progressive)):
            if marker == DQT and not channel:
                tables += segment
            if marker in SOF:
                size = bytes([0xFF, marker, 0, 8 + 3 * len(factors), 8]) + 2 * side.to_bytes(2, "big")
            if marker == DHT:
                scans += segment
            if marker == SOS:
                scans += segment[:5] + bytes([channel + 1]) + segment[6:] + data
    channels = b"".join(bytes([n + 1, 16 * across + down, 0]) for n, (across, down) in enumerate(factors))
    header = tables + size + bytes([len(factors)]) + channels
    return b"\xff\xd8" + head + header + before_scans + scans + b"\xff\xd9"


def smooth(width: int, height: int, seed: int = 0, mode: str = "L") -> Image.Image:
    """A picture of coarse random patches, smoothed."""
    shape = (5, 5, len(mode)) if len(mode) > 1 else (5, 5)
    patches = Image.fromarray(np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8), mode)
    return patches.resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The marker, bytes and, for scans, data of every segment."""
    position = 2
    while (marker := jpeg[position + 1]) != EOI:
        end = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        after = end
        while marker == SOS and not (jpeg[after] == 0xFF and jpeg[after + 1]):
            after += 1
        yield marker, jpeg[position:end], jpeg[end:after]
        position = after
