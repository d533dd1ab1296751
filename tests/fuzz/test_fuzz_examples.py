"""Fuzzing of record messages: decoded to an image or refused in one line."""

import pytest
from hypothesis import strategies as st

from alfa_md.data.tfrecord.dimensions import dimensions
from alfa_md.data.tfrecord.records import decode_example, encode_example
from tests.data.tfrecord.wire import bytes_field, varint
from tests.entries.harness import shade
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed

VALID = [encode_example(image, label) for image, label in [(b"", 0), (b"\xff" * 30, 300), (b"image" * 40, -1)]]


def check(payload: bytes) -> None:
    example = parsed(decode_example, payload, "0.tfrecords: record 0")
    if example is not None:
        image, label = example
        assert isinstance(image, bytes) and len(image) <= len(payload)
        assert label is None or -(2**63) <= label < 2**63


@examples(slow=6_000)
def test_damaged_examples(number):
    fuzz(check, mutated(VALID) | st.binary(max_size=60), number)


@examples(slow=2_000)
def test_messages_of_any_fields(number):
    """A well-formed outer message, so that inner parsing is reached."""
    leaf = st.binary(max_size=12) | st.sampled_from([b"image", b"label"])
    number_field = st.builds(
        lambda n, value: bytes([n << 3]) + varint(value), st.integers(0, 15), st.integers(0, 2**64)
    )

    def message(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
        field = st.builds(bytes_field, st.integers(1, 4), inner)
        return st.lists(field | number_field, max_size=4).map(b"".join)

    fuzz(check, st.recursive(leaf, message, max_leaves=8), number)


@pytest.mark.parametrize("value", [0, -1, 2**63 - 1])
def test_what_was_not_changed_comes_back(value):
    assert parsed(decode_example, encode_example(b"x", value), "here") == (b"x", value)


@examples(slow=1_000)
def test_headers_of_images(number):
    """Any bytes give a size or None."""
    starts = st.sampled_from([b"\xff\xd8", b"\xff\xd8\xff", shade(0, 0)[:12], b"BM"])
    any_image = st.builds(bytes.__add__, starts, st.binary(max_size=40))

    def check(image: bytes) -> None:
        size = dimensions(image)
        assert size is None or (len(size) == 2 and min(size) >= 0)

    fuzz(check, mutated([shade(1, 1)]) | any_image, number)
