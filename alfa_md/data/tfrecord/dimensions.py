"""Width and height of an encoded image from its header, without decoding pixels."""

import struct

PNG = b"\x89PNG\r\n\x1a\n"
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers of a frame header
STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers that no segment follows


def dimensions(image: bytes) -> tuple[int, int] | None:
    """(width, height) by the header; None if the bytes have no complete PNG, JPEG or BMP header."""
    try:
        if image.startswith(b"\xff\xd8"):
            return _jpeg(image)
        if image.startswith(PNG):
            return struct.unpack_from(">II", image, 16) if image[12:16] == b"IHDR" else None
        if image.startswith(b"BM"):
            return _bmp(image)
    except struct.error:  # the header is cut off
        pass
    return None


def is_cmyk(jpeg: bytes) -> bool:
    """True if a JPEG with a valid header has four channels (CMYK)."""
    count = _frame(jpeg) + 9
    return jpeg[count : count + 1] == b"\x04"  # empty if the file ends here


def _jpeg(image: bytes) -> tuple[int, int] | None:
    frame = _frame(image)
    if frame is None:
        return None
    height, width = struct.unpack_from(">HH", image, frame + 5)
    return width, height


def _frame(image: bytes) -> int | None:
    """Position of the first frame header, skipping segments and bytes between them; None if there is none."""
    position = image.find(b"\xff", 2)
    while 0 <= position < len(image) - 1:
        marker = image[position + 1]
        if marker in FRAME_MARKERS:
            return position
        if marker == 0xFF:  # padding
            position += 1
            continue
        has_segment = marker and marker not in STANDALONE_MARKERS
        position += 2 + (struct.unpack_from(">H", image, position + 2)[0] if has_segment else 0)
        position = image.find(b"\xff", position)
    return None


def _bmp(image: bytes) -> tuple[int, int]:
    """(width, height); a negative height means that rows are stored from top to bottom."""
    old = struct.unpack_from("<I", image, 14) == (12,)  # OS/2 header
    width, height = struct.unpack_from("<HH" if old else "<ii", image, 18)
    return abs(width), abs(height)
