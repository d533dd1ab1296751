"""Segments of a JPEG file, found as libjpeg finds them, and what TensorFlow's decoder takes from them.

Reference: ITU-T T.81, annex B; the Adobe segment is in Adobe's technical note 5116.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN, END_OF_IMAGE, APP0, APP14 = 0xDA, 0xD9, 0xE0, 0xEE
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset({0xC2, 0xCA})
CODINGS = PROGRESSIVE | {0xC0, 0xC1, 0xC9}  # Huffman and arithmetic; not lossless and hierarchical
MARKERS = frozenset(bytes([0xFF, marker]) for marker in range(0x02, 0xFF) if not 0xD0 <= marker <= 0xD8)
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # of a segment or the end: one of MARKERS, anywhere
LENGTH, FRAME = struct.Struct(">H").unpack_from, struct.Struct(">HHB").unpack_from
IGNORED = frozenset(range(0xE0, 0xF0)) | {0xFE}  # segments of applications, comments
JFIF_LENGTH = 16  # of the smallest JFIF segment, with its length
JFIF_VERSION = 7  # place of the version in a JFIF segment
ADOBE_LENGTH = 14  # of the smallest Adobe segment, with its length
TRANSFORM = 13  # place of the colour transform in an Adobe segment
COLOUR_TRANSFORMS = {3: (0, 1), 4: (0, 2)}  # by number of channels: none, and to YCbCr or YCCK

Segment = tuple[int, int, int]  # marker, and the bytes from its length to its end: start, end


class Frame(NamedTuple):
    """What a frame header states; width and height in pixels."""

    marker: int
    width: int
    height: int
    channels: int


def segments(jpeg: bytes) -> Iterator[Segment]:
    """The segments until the end of the image; other bytes between them are skipped, as are the data of scans.

    Raises struct.error if a length is cut off.
    """
    position = len(SOI)
    while True:
        start = position + 2
        if jpeg[position:start] not in MARKERS:  # the search alone would take twice as long
            found = MARKER.search(jpeg, position)
            if not found:
                return
            start = found.end()
        marker = jpeg[start - 1]
        if marker == END_OF_IMAGE:
            return
        position = start + LENGTH(jpeg, start)[0]
        yield marker, start, position


def read_frame(jpeg: bytes) -> Frame | None:
    """The first frame header; None if there is none. Raises struct.error if it is cut off."""
    for marker, start, _ in segments(jpeg):
        if marker in FRAME_MARKERS:
            height, width, channels = FRAME(jpeg, start + 3)
            return Frame(marker, width, height, channels)
    return None


def has_adobe_segment(jpeg: bytes) -> bool:
    """True if a JPEG of several channels is marked as Adobe's when its first row is decoded.

    Libjpeg has then read the segments before the first scan, or all of them if there are several scans.
    """
    frame = read_frame(jpeg)
    for marker, start, end in segments(jpeg):
        if _is_adobe(marker, jpeg[start:end]):
            return True
        if marker == START_OF_SCAN and frame.marker not in PROGRESSIVE and jpeg[start + 2] == frame.channels:
            return False
    return False


def without_warnings(jpeg: bytes, channels: int) -> bytes:
    """The file without what libjpeg ignores before the first scan, partly with a warning.

    These are stray bytes, comments and segments of applications, and unknown versions of JFIF and Adobe's transform.
    """
    parts = [SOI]
    for marker, start, end in segments(jpeg):
        body = bytearray(jpeg[start:end])
        is_jfif = marker == APP0 and len(body) >= JFIF_LENGTH and body[2:7] == b"JFIF\0"
        if is_jfif:
            body[JFIF_VERSION] = 1
        elif _is_adobe(marker, body):
            known = COLOUR_TRANSFORMS.get(channels, range(256))
            body[TRANSFORM] = body[TRANSFORM] if body[TRANSFORM] in known else known[1]
        elif marker in IGNORED:
            continue
        parts += [b"\xff", bytes([marker]), bytes(body)]
        if marker == START_OF_SCAN:
            parts.append(jpeg[end:])
            break
    return b"".join(parts)


def _is_adobe(marker: int, body: bytes | bytearray) -> bool:
    return marker == APP14 and len(body) >= ADOBE_LENGTH and body[2:7] == b"Adobe"
