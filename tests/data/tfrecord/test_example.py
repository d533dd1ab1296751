"""Parser of tf.train.Example: the fast path for the common layout, and the fallback."""

import pytest

from alfa_md.data.tfrecord.example import MAX_OTHER_ENTRY, _parse_by_field, _parse_common_layout, parse_example
from alfa_md.data.tfrecord.records import encode_example
from alfa_md.data.tfrecord.wire import bytes_field, varint


def entry(name: bytes, kind: int, *values: bytes) -> bytes:
    feature = bytes_field(kind, b"".join(bytes_field(1, value) for value in values))
    return bytes_field(1, bytes_field(1, name) + bytes_field(2, feature))


def example(*entries: bytes) -> bytes:
    return bytes_field(1, b"".join(entries))


def image(size: int) -> bytes:
    return entry(b"image", 1, b"\xff" * size)


LABEL = entry(b"label", 3, varint(300))


@pytest.mark.parametrize("size", [0, 1, 90, 127, 128, 2000, 16383, 16384, 70000])
def test_the_common_layouts(size):
    picture = [b"\xff" * size]
    assert _parse_common_layout(example(image(size), LABEL)) == (picture, [300])
    assert _parse_common_layout(example(LABEL, image(size))) == (picture, [300])
    assert _parse_common_layout(example(image(size))) == (picture, [])
    assert _parse_common_layout(encode_example(b"\xff" * size, -1)) == (picture, [-1])


def test_an_image_that_holds_an_entry_named_image():
    inner = example(image(5), LABEL)
    assert _parse_common_layout(example(entry(b"image", 1, inner), LABEL)) == ([inner], [300])
    assert _parse_common_layout(example(LABEL, entry(b"image", 1, inner))) == ([inner], [300])


OTHERS = {
    "an entry on either side": example(LABEL, image(9), LABEL),
    "a long entry before": example(entry(b"words", 1, b"x" * MAX_OTHER_ENTRY), image(9)),
    "a long entry after": example(image(9), entry(b"words", 1, b"x" * MAX_OTHER_ENTRY)),
    "no values of another image": example(image(9), entry(b"image", 1)),
    "another image": example(image(9), entry(b"image", 1, b"second")),
    "two values": example(entry(b"image", 1, b"first", b"second"), LABEL),
    "fields after the features": example(image(9), LABEL) + bytes_field(2, b"more"),
    "features in two parts": example(image(9)) + example(LABEL),
    "a label of floats": example(image(9), entry(b"label", 2, b"1234")),
    "no image": example(LABEL),
    "empty": b"",
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_layouts_are_read_field_by_field(name):
    assert parse_example(OTHERS[name]) == _parse_by_field(memoryview(OTHERS[name]))


def test_the_last_of_two_images_holds():
    assert parse_example(OTHERS["another image"]) == ([b"second"], [])
    assert parse_example(OTHERS["no values of another image"]) == ([], [])


@pytest.mark.parametrize("layout", [(image(200), LABEL), (LABEL, image(200))])
def test_every_changed_byte_is_read_as_field_by_field(layout):
    """Both parsers agree, in values or errors, for damaged headers and truncated messages."""
    whole = example(*layout)
    damaged = [whole[:length] for length in range(len(whole))]
    for place in range(len(whole)):
        damaged += [whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :] for bit in (1, 2, 8, 128)]
    for each in damaged:
        assert outcome(parse_example, each) == outcome(lambda payload: _parse_by_field(memoryview(payload)), each)


def outcome(parse, payload: bytes):
    try:
        return parse(payload)
    except (ValueError, IndexError):
        return "malformed"
