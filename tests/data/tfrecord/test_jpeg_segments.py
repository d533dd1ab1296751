"""Segments of JPEGs: frame, Adobe's mark, and what libjpeg ignores."""

import struct

import pytest

from alfa_md.data.tfrecord.jpeg_segments import (
    Frame,
    has_adobe_segment,
    read_frame,
    segments,
    without_warnings,
)
from alfa_md.data.tfrecord.progressive_scans import has_all_scans
from tests.spliced_jpegs import JFIF, adobe, comment, encoded, smooth, spliced

FOUR = 4 * [(1, 1)]


def test_segments_and_frame():
    jpeg = spliced(24, [(2, 1), (1, 1), (1, 1)], JFIF)
    assert [marker for marker, _, _ in segments(jpeg)] == [0xE0, 0xDB, 0xC0, *3 * [0xC4, 0xC4, 0xDA]]
    assert read_frame(jpeg) == Frame(0xC0, 24, 24, 3)
    assert read_frame(b"\xff\xd8\xff\xd9") is None
    with pytest.raises(struct.error):
        read_frame(jpeg[: jpeg.index(b"\xff\xc0") + 6])


def test_adobe_segment():
    word = comment(b"Adobe")
    assert not has_adobe_segment(spliced(24, FOUR, word))
    assert has_adobe_segment(spliced(24, FOUR, word + JFIF + adobe(0)))
    assert not has_adobe_segment(spliced(24, FOUR, adobe(0)[:-1].replace(b"\x0e", b"\x0d")))
    one_scan = encoded(smooth(24, 24, mode="CMYK")).replace(b"\xff\xee", b"\xff\xed")
    assert not has_adobe_segment(one_scan[:-2] + adobe(0) + one_scan[-2:])


def test_what_is_ignored_with_a_warning():
    plain = spliced(24, FOUR, JFIF + adobe(2))
    versions = JFIF.replace(b"JFIF\0\1", b"JFIF\0\3") + adobe(1)
    assert without_warnings(spliced(24, FOUR, b"\0stray" + versions + comment(b"a") + b"\xff"), 4) == plain
    assert without_warnings(plain, 4) == plain


def test_scans_of_a_progressive_jpeg():
    jpeg = encoded(smooth(24, 24, mode="RGB"), progressive=True)
    scans = [start for marker, start, _ in segments(jpeg) if marker == 0xDA]
    assert has_all_scans(jpeg, 3) and not any(has_all_scans(jpeg[: start - 2], 3) for start in scans)
    assert not has_all_scans(jpeg, 4)
