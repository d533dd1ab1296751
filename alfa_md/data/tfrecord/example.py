"""Parser of tf.train.Example messages with an image and a label.

Example{1: Features{1: map name -> Feature}}, where a Feature is one of {1: BytesList, 2: FloatList, 3: Int64List} and
each list has its values in field 1. Nearly all records have two entries, image and label; their headers are matched by
one regular expression, several times faster than parsing field by field.
"""

import re
from functools import lru_cache

from alfa_md.data.tfrecord.wire import BYTES, bytes_field, fields, integers, submessages

ParsedExample = tuple[list[bytes], list[int]]  # values of the features `image` and `label`

MAX_OTHER_ENTRY = 64  # maximal bytes of the other entry
VARINT = rb"([\x80-\xff]{0,4}[\x00-\x7f])"  # a varint
COMMON_LAYOUT = re.compile(
    rb"\n%b(.{0,%d}?)\n%b\n\x05image\x12%b\n%b\n%b" % (VARINT, MAX_OTHER_ENTRY, *4 * [VARINT]), re.DOTALL
)


def parse_example(example: bytes) -> ParsedExample:
    """Values of `image` and `label`; other features are skipped. Raises ValueError or IndexError if malformed."""
    return _parse_common_layout(example) or _parse_by_field(memoryview(example))


def _parse_common_layout(example: bytes) -> ParsedExample | None:
    """`parse_example` if the image is the first or last of at most two entries, else None."""
    headers = COMMON_LAYOUT.match(example)
    if not headers:
        return None
    whole, end, *ends = [headers.end(n) + _decode_varint(headers[n]) for n in (1, 3, 4, 5, 6)]
    before, after = headers[2], example[end:]
    nested = ends == 3 * [end] and end <= whole == len(example)
    if not nested or before and after or len(after) > MAX_OTHER_ENTRY:
        return None
    labels = _parse_labels(before or after)
    return None if labels is None else ([example[headers.end() : end]], labels)


def _decode_varint(varint: bytes) -> int:
    size = 0
    for byte in reversed(varint):
        size = size << 7 | byte & 0x7F
    return size


@lru_cache(maxsize=1024)
def _parse_labels(entries: bytes) -> list[int] | None:
    """Labels in encoded entries (cached: equal for all records of a class); None if malformed or with an image."""
    try:
        return None if b"image" in entries else _parse_by_field(memoryview(bytes_field(1, entries)))[1]
    except (ValueError, IndexError):
        return None


def _parse_by_field(example: memoryview) -> ParsedExample:
    features = _features(example)
    images = [bytes(value) for values in submessages(features["image"], 1) for value in submessages(values, 1)]
    return images, [value for values in submessages(features["label"], 3) for value in integers(values, 1)]


def _features(example: memoryview) -> dict[str, memoryview]:
    """The Features `image` and `label`, empty if absent; the last entry of a name counts, as in any protobuf map."""
    found = {"image": memoryview(b""), "label": memoryview(b"")}
    for features in submessages(example, 1):
        for entry in submessages(features, 1):
            pair = {number: value for number, kind, value in fields(entry) if kind == BYTES}
            name = bytes(pair.get(1, b"")).decode()
            if name in found:
                found[name] = pair.get(2, memoryview(b""))
    return found
