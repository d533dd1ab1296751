"""Comparison of the turbo decoder's pixels with TensorFlow's, image by image."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder

NOT_WHOLE = "is not a whole still picture in JPEG, PNG or BMP; convert it again"
REMEDY = "which only decoder = @tensorflow() decodes; convert it again or set that decoder"
UNUSUAL = f"has unusual sampling factors, {REMEDY}"
UNFINISHED = f"is a progressive JPEG without its last scans, {REMEDY}"


def outcomes(images: Sequence[bytes], side: int, before: bytes | None = None) -> list[str]:
    """For every square image of `side` pixels "equal", or the complaint of the turbo decoder.

    Fails if TensorFlow decodes what is complained of as not whole, or does not decode what is complained of as its own,
    or decodes to other pixels. `before` is decoded before each image, into the same memory.
    """
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    turbo, tensorflow = decoders(side)
    found = []
    for image in images:
        if before is not None:
            turbo([before])
        ours, theirs = pixels(turbo, image), pixels(tensorflow, image)
        if isinstance(ours, str):
            assert isinstance(theirs, str) == (ours == NOT_WHOLE), (ours, theirs, image.hex())
        else:
            assert np.array_equal(ours, theirs), image.hex()
        found.append(ours if isinstance(ours, str) else "equal")
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
