"""Digests of data files: what they notice, and what they do not depend on."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from alfa_md.data.file_digests import ABSENT, LENGTH, digest_files, digest_records, short_digest
from alfa_md.data.images.archived_images import ArchivedImages
from alfa_md.data.images.folder import open_split
from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.dumped import DumpedSource
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.source import RecordSource
from tests.data.images.layouts import write_split_folders
from tests.data.records import decode_names, write_source

SIZE = 10_000


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "0.tfrecords"
    path.write_bytes(os.urandom(SIZE))
    return path


def digest(path: Path) -> str:
    return digest_files({path.name: [path]})[path.name]


def test_a_copy_elsewhere_has_the_same_digest(file, tmp_path):
    (tmp_path / "moved").mkdir()
    copy = shutil.copy(file, tmp_path / "moved")  # with another modification time
    assert digest(Path(copy)) == digest(file) != ABSENT and len(digest(file)) == LENGTH


@pytest.mark.parametrize("place", [0, 1023, SIZE - 1024, SIZE - 1])
def test_a_bit_of_the_first_or_last_kilobyte_changes_it(file, place):
    before, data = digest(file), bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    assert digest(file) != before


def test_name_and_size_change_it_and_the_middle_alone_does_not(file):
    before, data = digest(file), bytearray(file.read_bytes())
    data[SIZE // 2] ^= 1
    file.write_bytes(data)
    assert digest(file) == before
    file.write_bytes(data[: SIZE // 2] + data[SIZE // 2 + 1 :])
    assert digest(file) != before
    file.write_bytes(data)
    assert digest(file.rename(file.with_name("1.tfrecords"))) != before


def test_small_empty_and_absent_files(tmp_path):
    for size in (0, 1, 1024, 1025):
        (tmp_path / f"{size}").write_bytes(b"a" * size)
    found = digest_files({name: [tmp_path / name] for name in ("0", "1", "1024", "1025", "none")})
    assert len({*found.values()}) == 5 and found["none"] == ABSENT


def test_parts_are_not_run_together():
    assert short_digest("a", "bc") != short_digest("ab", "c") and short_digest(b"1") == short_digest(1)


def test_records_are_the_specification_and_the_classes_of_the_split(tmp_path):
    spec = write_source(tmp_path)
    found = digest_records(spec, "valid")
    assert list(found) == ["dataset_spec.json", *(f"{k}.tfrecords" for k in spec.classes("valid"))]
    first, second = (spec.class_file(k) for k in list(spec.classes("valid"))[:2])
    shutil.move(first, tmp_path / "kept")
    shutil.move(second, first)
    shutil.move(tmp_path / "kept", second)
    swapped = digest_records(load_spec(spec.path), "valid")
    assert {name for name in found if found[name] != swapped[name]} == {first.name, second.name}
    assert digest_records(spec, "train") == digest_records(load_spec(spec.path), "train")


def test_dumped_episodes_are_their_files(tmp_path):
    spec, sampling = write_source(tmp_path), Sampling(num_ways=5, num_support=2, num_query=3)
    source = RecordSource(spec, "test", sampling, DecodedImages(spec, decode_names), 0)
    folder = dump_source(source, RecordFiles(spec), range(2), tmp_path / "dumped", 0)
    found = DumpedSource(folder, "toy", "test", decode_names).files["toy dumped/test"]
    assert len(found) == 5 and ABSENT not in found.values()


def test_image_folders_have_a_digest_for_every_class(tmp_path):
    write_split_folders(tmp_path)
    before = open_split(tmp_path, "train").digests()
    images = open_split(tmp_path, "train")
    assert list(before) == list(images.class_names)
    picture = images.path(0, 0)
    picture.write_bytes(images.path(1, 0).read_bytes())
    after = open_split(tmp_path, "train").digests()
    assert [name for name in before if before[name] != after[name]] == [images.class_names[0]]


def test_archives_have_a_digest_for_every_class_of_what_they_hold():
    pixels = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
    members = {"a": [0, 1, 2], "b": [3, 4, 5]}

    def digests(images, members=members):
        return ArchivedImages("archive", images, members, {}).digests()

    assert digests(pixels) == digests(list(pixels)) and list(digests(pixels)) == ["a", "b"]
    swapped = digests(pixels, {"a": [3, 4, 5], "b": [0, 1, 2]})
    assert all(swapped[name] != digests(pixels)[name] for name in members)
    assert digests(pixels, {"a": [], "b": [5]})["a"] != digests(pixels)["a"]
    assert digests(["one", b"two"], {"a": [0], "b": [1]}) == digests([b"one", b"two"], {"a": [0], "b": [1]})
