import os

import numpy as np
import pytest

from alfa_md.data.tfrecord import index
from alfa_md.data.tfrecord.index import class_offsets
from alfa_md.data.tfrecord.records import scan_offsets, write_records
from alfa_md.errors import UserError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "0.tfrecords"
    write_records(path, [b"x" * n for n in range(9)])
    return path


@pytest.fixture
def scans(monkeypatch):
    """The paths scanned so far."""
    scanned = []
    monkeypatch.setattr(index, "scan_offsets", lambda path: scanned.append(path) or scan_offsets(path))
    return scanned


def test_second_call_does_not_scan(path, scans):
    first, second = class_offsets(path), class_offsets(path)
    assert scans == [path]
    assert first.tolist() == second.tolist() == scan_offsets(path).tolist()
    assert second.dtype == np.int64


def test_changed_size_or_time_is_scanned_again(path, scans):
    class_offsets(path)
    write_records(path, [b"x"] * 3)
    assert len(class_offsets(path)) == 4
    os.utime(path, ns=(0, 0))
    class_offsets(path)
    assert len(scans) == 3


def test_files_of_one_name_are_told_apart(path, tmp_path, scans):
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    write_records(other, [b"yy"])
    os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
    assert len(class_offsets(path)) == 10
    assert len(class_offsets(other)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda index: b"",
        lambda index: b"garbage",
        lambda index: index[:-8],
        lambda index: index[:16] + (2**62).to_bytes(8, "little") + index[24:],  # a record that never ends
        lambda index: index[:16] + index[8:16] + index[24:],  # one of no bytes
    ],
)
def test_damaged_index_is_made_anew(path, tmp_path, scans, damage):
    class_offsets(path)
    (kept,) = (tmp_path / "cache" / "index").iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert class_offsets(path).tolist() == scan_offsets(path).tolist()
    class_offsets(path)
    assert len(scans) == 2


def test_unwritable_cache_only_scans(path, tmp_path, scans):
    (tmp_path / "cache").write_text("a file where the directory would be")
    for _ in range(2):
        assert class_offsets(path).tolist() == scan_offsets(path).tolist()
    assert len(scans) == 2


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="3.tfrecords: cannot be read"):
        class_offsets(tmp_path / "3.tfrecords")
