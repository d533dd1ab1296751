import pytest

from alfa_md.data.tfrecord.wire import bytes_field, fields, integers, submessages, varint


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (-1, "ffffffffffffffffff01")],
)
def test_varint_of_the_published_encoding(value, encoded):
    assert varint(value).hex() == encoded
    assert integers(memoryview(b"\x08" + varint(value)), 1) == [value]


def test_long_field_round_trip():
    message = bytes_field(2, b"x" * 300) + bytes_field(1, b"") + bytes_field(2, b"y")
    assert [bytes(value) for value in submessages(memoryview(message), 2)] == [b"x" * 300, b"y"]


def test_packed_and_single_integers_mix():
    message = b"\x08\x05" + bytes_field(1, varint(300) + varint(-7)) + b"\x10\x63"
    assert integers(memoryview(message), 1) == [5, 300, -7]


def test_fixed_width_fields_are_stepped_over():
    message = b"\x0d" + b"\x01" * 4 + b"\x11" + b"\x02" * 8 + bytes_field(3, b"end")
    assert [(number, kind, bytes(value)) for number, kind, value in fields(memoryview(message))] == [
        (1, 5, b"\x01" * 4),
        (2, 1, b"\x02" * 8),
        (3, 2, b"end"),
    ]


@pytest.mark.parametrize(
    "message",
    [b"\x0a\x05abc", b"\x0a", b"\x08\xff", b"\x0b", b"\x09\x01", b"\x08" + b"\xff" * 11],
    ids=["longer than the message", "no length", "unfinished varint", "group", "short fixed64", "endless varint"],
)
def test_malformed_message_raises(message):
    with pytest.raises((ValueError, IndexError)):
        list(fields(memoryview(message)))
