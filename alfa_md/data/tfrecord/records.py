"""Writing and random reading of TFRecord files of tf.train.Example, without TensorFlow.

A record is `length u64 | crc of length u32 | data | crc of data u32`, little endian; both checksums are masked CRC-32C.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import google_crc32c
import numpy as np
from google.protobuf.message import DecodeError

from alfa_md.data.tfrecord.example import Example
from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write

HEADER = struct.Struct("<QI")  # length, its checksum
FOOTER = struct.Struct("<I")  # checksum of the data
OVERHEAD = HEADER.size + FOOTER.size
REMEDY = "copy or convert the file again"


def encode_example(image: bytes, label: int) -> bytes:
    """The serialised tf.train.Example with features `image`, the encoded image, and `label`, the class id."""
    example = Example()
    feature = example.features.feature
    feature["image"].bytes_list.value.append(image)
    feature["label"].int64_list.value.append(label)
    return example.SerializeToString(deterministic=True)  # sorted by name


def decode_example(payload: bytes, where: str) -> tuple[bytes, int | None]:
    """(encoded image, label or None) of a serialised tf.train.Example; other features are skipped.

    Raises UserError naming `where` if the payload is no Example or has not exactly one `image`.
    """
    try:
        feature = Example.FromString(payload).features.feature
    except DecodeError as error:
        raise UserError(f"{where} is not a tf.train.Example; {REMEDY}") from error
    images, labels = feature["image"].bytes_list.value[:], feature["label"].int64_list.value[:]
    if len(images) != 1:
        raise UserError(f"{where} has {len(images)} values in its feature 'image', not one; {REMEDY}")
    return images[0], labels[0] if labels else None


def write_records(path: Path, payloads: Iterable[bytes]) -> int:
    """Atomically write one record per payload; returns their number."""
    count = 0
    with atomic_write(path) as file:
        for payload in payloads:
            length = struct.pack("<Q", len(payload))
            file.write(length + FOOTER.pack(_masked_crc(length)) + payload + FOOTER.pack(_masked_crc(payload)))
            count += 1
    return count


def scan_offsets(path: Path) -> np.ndarray:
    """Start offset of each record, then the file size: [n + 1] int64. Reads headers only.

    Raises UserError naming the file, the record and the byte offset if the file is missing or damaged.
    """
    offsets = [0]
    with _open_file(path) as file:
        size = os.fstat(file).st_size
        while offsets[-1] < size:
            number, start = len(offsets) - 1, offsets[-1]
            end = start + OVERHEAD + _checked_length(os.pread(file, HEADER.size, start), path, number, start)
            if end > size:
                raise _damaged_record(
                    path, number, start, f"is truncated: it ends at byte {end}, the file at byte {size}"
                )
            offsets.append(end)
    return np.array(offsets, dtype=np.int64)


def read_records(path: Path, offsets: np.ndarray, numbers: Sequence[int]) -> list[bytes]:
    """The payloads of the records `numbers`, in that order, without reading the rest of the file.

    `offsets` are those of `scan_offsets`. Raises UserError naming the file, the record and the byte offset if the file
    is missing or a checksum does not match.
    """
    with _open_file(path) as file:
        return [_read_record(file, path, int(n), int(offsets[n]), int(offsets[n + 1])) for n in numbers]


def _read_record(file: int, path: Path, number: int, start: int, end: int) -> bytes:
    record = os.pread(file, end - start, start)
    length = _checked_length(record[: HEADER.size], path, number, start)
    if length + OVERHEAD != len(record):
        raise _damaged_record(path, number, start, f"is truncated: {len(record)} of {length + OVERHEAD} bytes")
    data = record[HEADER.size : -FOOTER.size]
    if FOOTER.unpack(record[-FOOTER.size :]) != (_masked_crc(data),):
        raise _damaged_record(path, number, start, "is corrupt: the checksum of its data does not hold")
    return data


def _checked_length(header: bytes, path: Path, number: int, start: int) -> int:
    if len(header) < HEADER.size:
        raise _damaged_record(path, number, start, "is truncated within its header")
    length, crc = HEADER.unpack(header)
    if crc != _masked_crc(header[:8]):
        raise _damaged_record(path, number, start, "is corrupt: the checksum of its length does not hold")
    return length


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _damaged_record(path: Path, number: int, start: int, what: str) -> UserError:
    return UserError(f"{path}: record {number} at byte {start} {what}; {REMEDY}")


@contextmanager
def _open_file(path: Path) -> Iterator[int]:
    """A read-only file descriptor, closed after the block, so that thousands of classes do not exhaust descriptors."""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the records root or {REMEDY}") from error
