"""Pixels of JPEGs of many encoders, samplings, codings and segments: TensorFlow's, or a refusal that names it."""

import base64
from collections import Counter
from itertools import product

import numpy as np
import pytest

from tests.data.tfrecord.agreement import UNFINISHED, UNUSUAL, outcomes
from tests.spliced_jpegs import JFIF, adobe, comment, encoded, smooth, spliced

SIDE = 40  # no multiple of the size of a block
USUAL = [
    *([(1, 1)], [(2, 2)], [(4, 4)]),
    *([(across, down), (1, 1), (1, 1)] for across, down in ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4))),
    *([(2, 2), (2, 1), (2, 1)], [(2, 2), (1, 2), (1, 2)], 3 * [(2, 1)]),
    *(4 * [(1, 1)], [(2, 2), (1, 1), (1, 1), (2, 2)], [(2, 1), (1, 1), (1, 1), (2, 1)]),
]
UNUSUAL_FACTORS = [
    *([(across, down), (1, 1), (1, 1)] for across, down in ((4, 2), (3, 1), (2, 4), (1, 3))),
    *([(2, 2), (1, 1), (1, 2)], [(1, 1), (2, 1), (1, 1)], 3 * [(2, 2)]),
    *([(2, 2), (1, 1), (1, 1), (1, 1)], 4 * [(2, 2)]),
]
HEADS = [b"", JFIF, JFIF.replace(b"JFIF\0\1", b"JFIF\0\3"), *map(adobe, (0, 1, 2, 7)), JFIF + adobe(0)]
# 24 x 24 pixels with arithmetic coding, sequential and progressive, made by libjpeg-turbo 2.1.5.
TABLES = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNS"
    "Mj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T0//"
)
ARITHMETIC = [
    TABLES + "yQARCAAYABgDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AJqsJy2sgzKRWl91M2+sEWcOxYIlWoLKxLiS5Yun8HZ3"
    "KuAd6vDop5C4hZmQQcaaP8xqTtxDVks9WO+ltJlOO/Wm8QTvQCzm1bn+fFJNKGVAqxXJHQWJ2Wqvf2L4UzCaly0he6IP9Mq/dnjfDf/Z",
    TABLES + "ygARCAAYABgDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8ANWnB93x6xNp6bp2mO2lohEUjR+D/zAAEEAX/2gAIAQEAAQUC"
    "EzKaVWhgZt3ZnVpw/8wABBEF/9oACAEDAQE/ARQn9oxiz97XMv/MAAQRBf/aAAgBAgEBPwEdkFQ7dUPEeFE8HGJLIv/MAAQQBf/aAAgB"
    "AQAGPwLA/8wABBAF/9oACAEBAAE/IffDrnTPL2j/2gAMAwEAAgADAAAAELvSMf/MAAQRBf/aAAgBAwEBPxCxIH4kdP/MAAQRBf/aAAgB"
    "AgEBPxDy/BBw+vO2K+Z+3dJf8aD/zAAEEAX/2gAIAQEAAT8Q2R+gSE1LG5dvvuQOZiJjXnyA/9k=",
]


@pytest.mark.parametrize("progressive", [False, True])
def test_sampling_factors_and_headers(progressive):
    known = [spliced(SIDE, factors, head, progressive) for factors, head in product(USUAL, HEADS)]
    assert set(outcomes(known, SIDE)) == {"equal"}
    unusual = [spliced(SIDE, factors, head, progressive) for factors, head in product(UNUSUAL_FACTORS, HEADS[1::2])]
    assert set(outcomes(unusual, SIDE)) == {UNUSUAL}


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_encodings_of_pillow(mode, subsampling):
    settings = [
        {"quality": quality, "progressive": progressive, "restart_marker_blocks": restart}
        for quality, progressive, restart in product((5, 75, 100), (False, True), (0, 2))
    ]
    settings += [{"keep_rgb": not subsampling}, {"optimize": True}, {"comment": b"\xff\xda\xff\xd9\xff\xee"}]
    pictures = [smooth(SIDE, SIDE, n, mode) for n in range(len(settings))]
    images = [encoded(picture, subsampling=subsampling, **own) for picture, own in zip(pictures, settings, strict=True)]
    assert set(outcomes(images, SIDE)) == {UNUSUAL if mode == "CMYK" and subsampling else "equal"}


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411", "Gray"])
def test_encodings_of_simplejpeg(subsampling):
    simplejpeg = pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    pixels = np.asarray(smooth(SIDE, SIDE, mode="RGB"))
    images = [simplejpeg.encode_jpeg(pixels, quality, "RGB", subsampling) for quality in (10, 85, 100)]
    assert outcomes(images, SIDE) == 3 * ["equal"]


def test_arithmetic_coding():
    assert outcomes([base64.b64decode(text) for text in ARITHMETIC], 24) == 2 * ["equal"]


@pytest.mark.parametrize("transform", [0, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_four_channels_are_inverted_by_the_adobe_segment_alone(transform, progressive):
    """Wherever it is before the first scan; not by the word in other segments, nor in a segment that is too short."""
    word, short = comment(b"Adobe"), b"\xff\xee\x00\x0dAdobe\0\x64\0\0\0\0"
    segment, photoshop = adobe(transform), b"\xff\xed" + word[2:]
    heads = [segment, comment(bytes(6000)) + segment, word, short, photoshop, JFIF + segment, segment + segment, b""]
    heads += [segment.replace(b"Adobe", b"adobe"), JFIF + b"stray" + segment, b"\xff\xff" + segment]
    images = [spliced(SIDE, 4 * [(1, 1)], head, progressive) for head in heads]
    images += [spliced(SIDE, 4 * [(1, 1)], b"", progressive, before_scans=head) for head in heads]
    whole = images[0]
    second_scan = whole.index(b"\xff\xda", whole.index(b"\xff\xda") + 1)
    images += [images[7][:second_scan] + segment + images[7][second_scan:]]
    assert set(outcomes(images, SIDE)) == {"equal"}


def test_a_progressive_jpeg_without_its_last_scans_is_refused():
    """Libjpeg smooths it, and releases differ in how."""
    whole = encoded(smooth(SIDE, SIDE, mode="RGB"), progressive=True)
    scans = [n for n in range(len(whole)) if whole[n : n + 2] == b"\xff\xda"]
    cut = [whole[:end] + b"\xff\xd9" for end in scans[1:]]
    assert Counter(outcomes([*cut, whole], SIDE)) == {UNFINISHED: len(cut), "equal": 1}
