"""Small files of image data sets that claim great sizes: refused in one line before memory is taken."""

import gzip
import io
import pickle
import struct
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from alfa_md.data.images import cifar100, cifar_fs, mini_imagenet, packed_folder
from alfa_md.data.images.pickled_fields import PickledFields
from alfa_md.data.images.unpickling import parse_pickle, read_pickle
from alfa_md.errors import UserError
from tests.data.images.archives import bertinetto, packed_cifar100

GIGA = 2**30
CLAIMS = {
    "bytes": b"\x80\x04B" + struct.pack("<I", GIGA) + b"x.",
    "long bytes": b"\x80\x04\x8e" + struct.pack("<Q", GIGA) + b"x.",
    "bytearray": b"\x80\x05\x96" + struct.pack("<Q", GIGA) + b"x.",
    "text": b"\x80\x02X" + struct.pack("<I", GIGA) + b"x.",
    "old text": b"T" + struct.pack("<i", GIGA) + b"x.",
    "whole number": b"\x80\x02\x8b" + struct.pack("<i", GIGA) + b"x.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", GIGA) + b"N.",
    "memo": b"\x80\x02Nr" + struct.pack("<I", GIGA) + b".",
    "memo in words": b"Np1073741824\n.",
}


@pytest.fixture
def little_memory():
    """Fails the test if Python has allocated more than 64 MB in it."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_pickle_that_claims_more_than_it_has(claim, tmp_path, little_memory):
    file = tmp_path / "a.pkl"
    file.write_bytes(CLAIMS[claim])
    message = f"it claims 1073741824 bytes or entries and has {len(CLAIMS[claim])} bytes.; download the file again"
    for read in (read_pickle, lambda path: parse_pickle(path.read_bytes(), path)):
        with pytest.raises(UserError, match=message):
            read(file)


@pytest.mark.parametrize("protocol", range(6))
def test_honest_pickles_of_every_protocol_claim_nothing(protocol):
    value = {"numbers": [1, -1, 300, 2**70, 1.5, None, True], "texts": ("a\nb", "é" * 300)}
    value |= {"bytes": b"\n" * 70_000, "shared": [[]] * 3}
    assert parse_pickle(pickle.dumps(value, protocol), "a file") == value


def nested(depth: int) -> list:
    """A list of 1000 ** depth entries in a pickle of some kilobytes: every list holds one list many times."""
    value: list = [0] * 1000
    for _ in range(depth - 1):
        value = [value] * 1000
    return value


def test_lists_that_stand_in_many_places(little_memory):
    content = pickle.loads(pickle.dumps({"data": nested(4), "labels": nested(2)}))
    fields = PickledFields("a file", content)
    with pytest.raises(UserError, match="a file: field 'data' has more than 100000000 entries in nested lists"):
        fields.array("data")
    assert fields.array("labels").shape == (1000, 1000)


def test_a_list_that_holds_itself_or_lies_deep():
    endless: list = []
    endless.append(endless)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(UserError, match="field 'data'"):
            PickledFields("a file", {"data": value}).array("data")


def test_an_array_that_claims_a_great_shape(tmp_path, little_memory):
    honest = pickle.dumps({"image_data": np.zeros((16, 84, 84, 3), np.uint8), "class_dict": {}}, 2)
    claimed = honest.replace(b"(K\x10KTKTK\x03t", b"(J\x00\x00\x00\x7fKTKTK\x03t")
    assert len(claimed) > len(honest)
    (tmp_path / "mini-imagenet-cache-train.pkl").write_bytes(claimed)
    with pytest.raises(UserError, match=r"cache-train\.pkl: is not a whole pickle of plain data"):
        mini_imagenet.open_split(tmp_path, "train")


def test_files_of_cifar100_beyond_their_size(tmp_path, monkeypatch):
    packed_cifar100(tmp_path, bertinetto)
    (tmp_path / "unpacked").rename(tmp_path / "cifar-100-python")
    monkeypatch.setattr(packed_folder, "LIMIT", 20_000)
    for place in ("cifar-100-python", "cifar-100-python.tar.gz"):
        line = f"{place}: train cannot be read from it .it claims \\d+ bytes, more than 20000.; download"
        with pytest.raises(UserError, match=line):
            cifar100.open_cifar100(tmp_path / place, "train", lambda *_: True, {})


def test_a_tar_header_of_zeros_without_end(tmp_path, monkeypatch, little_memory):
    """An extended header claims 3 GB, of which the file has a few zeros."""
    header = tarfile.TarInfo("cifar-100-python/train")
    header.type, header.size = tarfile.XHDTYPE, 3 * GIGA
    with gzip.open(tmp_path / "cifar-100-python.tar.gz", "wb") as file:
        file.write(header.tobuf() + bytes(2**20))
    with pytest.raises(UserError, match="cannot be read from it .a header claims 3221225472 bytes.; download"):
        cifar_fs.open_split(tmp_path, "train")


def test_an_archive_without_compression_is_read_as_well(tmp_path):
    packed_cifar100(tmp_path, bertinetto)
    place: Path = tmp_path / "cifar-100-python.tar.gz"
    place.write_bytes(gzip.decompress(place.read_bytes()))
    assert tarfile.open(fileobj=io.BytesIO(place.read_bytes())).getnames()
    assert len(cifar_fs.open_split(tmp_path, "valid").class_names) == 16
