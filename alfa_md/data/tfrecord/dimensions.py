"""Width and height of an encoded image from its header, without decoding pixels."""

import struct

from simplejpeg import decode_jpeg_header

from alfa_md.data.tfrecord.jpeg_segments import read_frame

JPEG, PNG, BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"  # first bytes


def dimensions(image: bytes) -> tuple[int, int] | None:
    """(width, height) by the header; None if the bytes have no complete PNG, JPEG or BMP header."""
    try:
        if image.startswith(JPEG):
            return _jpeg(image)
        if image.startswith(PNG):
            return struct.unpack_from(">II", image, 16) if image[12:16] == b"IHDR" else None
        if image.startswith(BMP):
            return _bmp(image)
    except struct.error:  # the header is cut off
        pass
    return None


def _jpeg(image: bytes) -> tuple[int, int] | None:
    """(width, height) as libjpeg-turbo reads them, by our own search in files that simplejpeg refuses by their header.

    Those have unusual sampling factors, which TensorFlow decodes, or are damaged.
    """
    try:
        height, width, _, _ = decode_jpeg_header(image)
        return width, height
    except (ValueError, KeyError):  # the latter of a subsampling that it has no name for
        frame = read_frame(image)
        return frame and frame[1:3]


def _bmp(image: bytes) -> tuple[int, int]:
    """(width, height); a negative height means that rows are stored from top to bottom."""
    old = struct.unpack_from("<I", image, 14) == (12,)  # OS/2 header
    width, height = struct.unpack_from("<HH" if old else "<ii", image, 18)
    return abs(width), abs(height)
