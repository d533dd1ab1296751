"""JPEG decoding by libjpeg-turbo with the pixels of TensorFlow, which also fills damaged images as TensorFlow does."""

import io

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from alfa_md.data.tfrecord.jpeg_segments import (
    CODINGS,
    PROGRESSIVE,
    SOI,
    has_adobe_segment,
    read_frame,
    without_warnings,
)
from alfa_md.data.tfrecord.progressive_scans import has_all_scans
from alfa_md.errors import UserError

SAMPLING = "Could not determine subsampling"  # in libjpeg-turbo's message
UNUSUAL = "has unusual sampling factors, which only decoder = @tensorflow() decodes"
INCOMPLETE = "is a progressive JPEG without its last scans, which only decoder = @tensorflow() decodes"
LAST_BYTE = "lacks its last byte, without which only decoder = @tensorflow() may decode it"
# A second start within an image is an error. The longest segment, which a damaged file may end with, is shorter.
SENTINEL = 2**15 * SOI


class UnsupportedJpeg(Exception):
    """A valid JPEG that TensorFlow decodes and this decoder does not; the text is what it is."""


class JpegDecoder:
    """Decodes with the fast integer DCT and smooth chroma, TensorFlow's default.

    Raises UserError if simplejpeg is not installed.
    """

    def __init__(self) -> None:
        try:
            import simplejpeg
        except ImportError as error:
            raise UserError("simplejpeg is not installed: pip install simplejpeg") from error
        self._decode_jpeg = simplejpeg.decode_jpeg

    def __call__(self, jpeg: bytes, pixels: np.ndarray) -> None:
        """Decode into `pixels` [H, W, 3] uint8.

        Raises UnsupportedJpeg, or ValueError, OSError, SyntaxError or struct.error for an image that is damaged beyond
        what TensorFlow fills.
        """
        coding, _, _, channels = read_frame(jpeg)
        if coding not in CODINGS:
            raise ValueError("lossless or hierarchical")
        if channels == 4:
            pixels[...] = _cmyk_to_rgb(self._decode(jpeg, "CMYK", None), inverted=has_adobe_segment(jpeg))
        else:
            self._decode(jpeg, "RGB", pixels)
        if coding in PROGRESSIVE and not has_all_scans(jpeg, channels):
            raise UnsupportedJpeg(INCOMPLETE)

    def _decode(self, jpeg: bytes, space: str, buffer: np.ndarray | None) -> np.ndarray:
        """Decoded [H, W, C] uint8, in `buffer` if given."""
        try:
            return self._decode_jpeg(jpeg, space, fastdct=True, buffer=buffer, strict=True)
        except ValueError as error:
            harmless = without_warnings(jpeg, read_frame(jpeg).channels)
            _require_end(harmless)
            if SAMPLING in str(error):
                raise UnsupportedJpeg(UNUSUAL) from error
        # Not into the buffer, which has the image before: simplejpeg returns it unchanged after some errors.
        filled = self._decode_jpeg(harmless, space, fastdct=True, strict=False)
        if buffer is not None:
            buffer[...] = filled
        return filled


def _require_end(jpeg: bytes) -> None:
    """Raise OSError or SyntaxError if libjpeg fails on the image or reads beyond its bytes.

    UnsupportedJpeg if it needs one byte more. TensorFlow at times does without.
    """
    try:
        _load_by_pillow(jpeg + SENTINEL)
    except OSError as error:
        if not jpeg.endswith(b"\xff"):
            raise
        _load_by_pillow(jpeg + b"\xd9" + SENTINEL)
        raise UnsupportedJpeg(LAST_BYTE) from error


def _load_by_pillow(jpeg: bytes) -> None:
    """Decode by Pillow's libjpeg, whose errors can be told from its warnings; its pixels are others."""
    with JpegImageFile(io.BytesIO(jpeg)) as image:
        image.decodermaxblock = len(jpeg)  # libjpeg would not notice an end within a skipped segment
        image.load()


def _cmyk_to_rgb(cmyk: np.ndarray, inverted: bool) -> np.ndarray:
    """CMYK [H, W, 4] to RGB [H, W, 3]; `inverted` for Adobe files, in which 255 is no ink."""
    light = cmyk.astype(np.int32) if inverted else 255 - cmyk.astype(np.int32)
    return light[..., :3] * light[..., 3:] // 255
