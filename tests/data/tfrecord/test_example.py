"""The message tf.train.Example: encodings written by hand, and TensorFlow's own class."""

import subprocess
import sys

import pytest
from google.protobuf.message import DecodeError

from alfa_md.data.tfrecord.example import Example
from alfa_md.data.tfrecord.records import encode_example
from tests.data.tfrecord.wire import bytes_field, entry, example, varint
from tests.shared import ROOT

LABEL = entry(b"label", 3, varint(300))
SEPARATE = bytes_field(1, bytes_field(1, b"label") + bytes_field(2, bytes_field(3, b"\x08\x05\x08\xac\x02")))


def image(*values: bytes) -> bytes:
    return entry(b"image", 1, *values)


def features(payload: bytes) -> tuple[list[bytes], list[int]]:
    feature = Example.FromString(payload).features.feature
    return list(feature["image"].bytes_list.value), list(feature["label"].int64_list.value)


INNER = example(image(b"inner"), LABEL)
READ = {
    "image, label": (example(image(b"x"), LABEL), ([b"x"], [300])),
    "label, image": (example(LABEL, image(b"x")), ([b"x"], [300])),
    "an image alone": (example(image(b"x")), ([b"x"], [])),
    "an example as the image": (example(image(INNER), LABEL), ([INNER], [300])),
    "another feature of bytes": (example(entry(b"words", 1, b"w" * 64), image(b"x")), ([b"x"], [])),
    "another feature of floats": (example(image(b"x"), entry(b"box", 2, b"1234")), ([b"x"], [])),
    "two values": (example(image(b"x", b"y"), LABEL), ([b"x", b"y"], [300])),
    "the last of two images": (example(image(b"x"), image(b"y")), ([b"y"], [])),
    "the last of two images, empty": (example(image(b"x"), image()), ([], [])),
    "features in two parts": (example(image(b"x")) + example(LABEL), ([b"x"], [300])),
    "unknown fields": (
        example(image(b"x"), LABEL) + bytes_field(2, b"more") + b"\x1d1234\x21" + 8 * b"5",
        ([b"x"], [300]),
    ),
    "a label of floats": (example(image(b"x"), entry(b"label", 2, b"1234")), ([b"x"], [])),
    "integers that are not packed": (example(SEPARATE), ([], [5, 300])),
    "a negative label": (example(entry(b"label", 3, varint(-7))), ([], [-7])),
    "empty": (b"", ([], [])),
}


@pytest.mark.parametrize("name", READ)
def test_values_of_messages(name):
    payload, expected = READ[name]
    assert features(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [b"\x0a\x05abc", b"\x0a", b"\x08\xff", b"\x0c", b"\x09\x01", b"\x08" + b"\xff" * 11, example(image(b"x"))[:-1]],
    ids=[
        "longer than the message",
        "no length",
        "unfinished varint",
        "end of no group",
        "short fixed64",
        "endless",
        "cut",
    ],
)
def test_a_malformed_message_is_refused(payload):
    with pytest.raises(DecodeError):
        Example.FromString(payload)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(DecodeError):
        Example.FromString(example(entry(b"\xff", 1, b"x")))


@pytest.mark.parametrize("label", [0, 1, 127, 128, 2**63 - 1, -1, -(2**63)])
@pytest.mark.parametrize("size", [0, 127, 128, 70_000])
def test_the_encoding_is_image_then_label(size, label):
    """Byte for byte, because the digests of converted and embedded records are stored."""
    picture = b"\xff" * size
    assert encode_example(picture, label) == example(image(picture), entry(b"label", 3, varint(label)))


def test_tensorflows_class_reads_the_same(tf):
    for payload, expected in READ.values():
        feature = tf.train.Example.FromString(payload).features.feature
        assert (list(feature["image"].bytes_list.value), list(feature["label"].int64_list.value)) == expected


BOTH = """
import sys
first, second = sys.argv[1:]
__import__(first), __import__(second)
from alfa_md.data.tfrecord.example import Example
import tensorflow as tf
ours, theirs = Example(), tf.train.Example()
for message in (ours, theirs):
    message.features.feature["image"].bytes_list.value.append(b"x")
assert ours.SerializeToString() == theirs.SerializeToString() and type(ours) is not type(theirs)
"""
OURS = "alfa_md.data.tfrecord.example"


@pytest.mark.slow
@pytest.mark.parametrize("order", [(OURS, "tensorflow"), ("tensorflow", OURS)], ids=["before", "after"])
def test_the_message_lives_beside_tensorflows(order):
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    done = subprocess.run([sys.executable, "-c", BOTH, *order], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
