"""Fuzzing of the record framing of class files: read or refused in one line."""

import os
import struct

import pytest
from hypothesis import strategies as st

from alfa_md.data.tfrecord.index import class_offsets
from alfa_md.data.tfrecord.records import OVERHEAD, _masked_crc, read_records, scan_offsets, write_records
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed

CONTENTS = [[], [b""], [b"a", b"bc" * 40, b""], [bytes(range(256))] * 3]


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "0.tfrecords"


def framed(path) -> list[bytes]:
    """Valid class files."""
    files = []
    for payloads in CONTENTS:
        write_records(path, payloads)
        files.append(path.read_bytes())
    return files


def header(length: int) -> bytes:
    """A header with a valid checksum."""
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", _masked_crc(packed))


def read_all(path) -> list[bytes]:
    offsets = scan_offsets(path)
    assert offsets[0] == 0 and offsets[-1] == path.stat().st_size and (offsets[1:] - offsets[:-1] >= OVERHEAD).all()
    return read_records(path, offsets, range(len(offsets) - 1))


@examples(slow=5_000)
def test_class_files(path, number):
    lengths = st.sampled_from([0, 1, 255, 2**31, 2**32, 2**63 - 1, 2**64 - 1]) | st.integers(0, 2**64 - 1)
    headed = st.builds(lambda length, rest: header(length) + rest, lengths, st.binary(max_size=40))
    valid = framed(path)

    def check(data: bytes) -> None:
        path.write_bytes(data)
        records = parsed(read_all, path)
        if records is not None:
            assert write_records(path, records) == len(records) and path.read_bytes() == data

    fuzz(check, mutated(valid) | headed | st.binary(max_size=60), number)


@examples(slow=1_000)
def test_kept_indices(path, tmp_path, number):
    """A damaged index is rebuilt, or points to other records, which their checksums reveal."""
    write_records(path, CONTENTS[2])
    whole = class_offsets(path)
    (kept,) = (tmp_path / "cache" / "index").iterdir()

    def check(data: bytes) -> None:
        kept.write_bytes(data)
        offsets = class_offsets(path)
        if len(offsets) != len(whole):
            return  # the source compares the number with that of the specification
        records = parsed(read_records, path, offsets, range(len(offsets) - 1))
        assert records is None or records == CONTENTS[2]

    index = kept.read_bytes()
    fuzz(check, mutated([index, index[-8 * len(whole) :]]), number)
    os.unlink(kept)
    assert class_offsets(path).tolist() == whole.tolist()
