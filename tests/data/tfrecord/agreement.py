"""Comparison of the turbo decoder's pixels with TensorFlow's, image by image."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder

NOT_WHOLE = "is not a whole still picture in JPEG, PNG or BMP; convert it again"
REMEDY = "which only decoder = @tensorflow() decodes; set that decoder, or save the image anew"
UNUSUAL = f"has unusual sampling factors, {REMEDY}"
UNFINISHED = f"is a progressive JPEG without its last scans, {REMEDY}"
LAST_BYTE = "lacks its last byte, without which only decoder = @tensorflow() may decode it"
NEITHER = " (nor does TensorFlow)"


def outcomes(images: Sequence[bytes], side: int, before: bytes | None = None) -> list[str]:
    """For every square image of `side` pixels "equal", or the complaint of the turbo decoder, and NEITHER if it is so.

    Fails if the pixels differ, if TensorFlow refuses what the turbo decoder decodes, and if it decodes what is refused
    without its name. `before` is decoded before each image, into the same memory.
    """
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    turbo, tensorflow = decoders(side)
    found = []
    for image in images:
        if before is not None:
            turbo([before])
        ours, theirs = pixels(turbo, image), pixels(tensorflow, image)
        if not isinstance(ours, str):
            assert np.array_equal(ours, theirs), image.hex()
            found.append("equal")
        elif "decoder = @tensorflow()" in ours:
            found.append(ours + NEITHER if isinstance(theirs, str) else ours)
        else:
            assert isinstance(theirs, str), (ours, image.hex())
            found.append(ours)
    return found


@cache
def decoders(side: int) -> tuple[Decoder, Decoder]:
    """Both decoders for images of `side` pixels, which they then do not resize."""
    return TurboDecoder(side, num_threads=1), TensorflowDecoder(side)


def pixels(decoder: Decoder, image: bytes) -> np.ndarray | str:
    """The pixels of a square image of the decoder's size, or the complaint."""
    try:
        return decoder.decode_unnormalised([image]).numpy()
    except UndecodableImage as error:
        return error.complaint
