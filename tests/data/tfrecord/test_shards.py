"""Sources in shards: episodes, batches, cache and dumps equal to those of one file per class; damage."""

import os
from pathlib import Path

import pytest
import torch

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.batches import batches
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.image_cache import ImageCache
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.data.tfrecord.official_package import Package
from alfa_md.data.tfrecord.reader import records
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.errors import UserError
from tests.data.prepared import shard_file, write_prepared
from tests.data.records import coloured_image, write_source
from tests.data.test_prepared import LENGTHS, write_both
from tests.data.test_source_contract import Named, equal

SMALL = Sampling(max_support_set_size=20)
CACHES = {"none": None, "uint8": ImageCache(), "float32": ImageCache("float32")}


@pytest.fixture
def roots(tmp_path) -> tuple[Path, Path]:
    """The same pictures in one file per class, and in shards that divide classes."""
    spec = write_source(tmp_path / "files", coloured_image, images_per_class=12)
    write_prepared(tmp_path / "shards", spec, LENGTHS)
    return tmp_path / "files", tmp_path / "shards"


@pytest.mark.parametrize("cache", CACHES)
def test_episodes_and_pixels_are_equal(roots, cache):
    for split in ("train", "valid", "test"):
        files, shards = (records(r, "toy", split, SMALL, 5, installed_decoder(6), CACHES[cache]) for r in roots)
        for index in (0, 1, 2, 1):
            assert equal(files.episode(index), shards.episode(index))
        assert files.stamp() == shards.stamp()


def test_batches_are_equal(roots):
    files, shards = (batches(root, ["toy"], 5, installed_decoder(6), batch_size=17) for root in roots)
    assert all(equal(files.episode(index), shards.episode(index)) for index in range(6))


def test_both_versions_of_imagenet_give_the_episodes_of_their_class_files(tmp_path):
    write_both(tmp_path)
    sampling = Sampling(min_ways=2, max_support_set_size=20, ignore_dag_ontology=True)
    for hierarchy in (sampling, Sampling(min_ways=2, max_support_set_size=20)):
        files, shards = (records(r, "nouns_v2", "train", hierarchy, 5, Named()) for r in (tmp_path, tmp_path / "tfds"))
        assert all(equal(files.episode(index), shards.episode(index)) for index in range(4))
    first = records(tmp_path / "tfds", "nouns", "test", sampling, 5, Named()).episode(0)
    names = load_spec(tmp_path / "tfds" / "nouns").class_names
    drawn = records(tmp_path / "tfds", "nouns", "test", sampling, 5, Named()).draw(0)
    levels = ((first.support_x[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()  # class id in the files of v2
    assert levels == ["abcdefgh".index(names[c.class_id]) for c in drawn for _ in c.support]


def test_dumped_episodes_are_equal(roots, tmp_path):
    contents = []
    for root in roots:
        source, files = records(root, "toy", "test", SMALL, 5, Named()), RecordFiles(load_spec(root / "toy"))
        folder = dump_source(source, files, range(2), tmp_path / f"dump {root.name}", 5)
        contents.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert contents[0] == contents[1]


def test_a_shard_is_opened_once_and_only_those_of_the_classes(roots, monkeypatch):
    files = RecordFiles(load_spec(roots[1] / "toy"))
    chosen = [(17, 11), (4, 3), (4, 1), (3, 0), (4, 3)]
    files.read_images(chosen)  # makes the index
    opened, real = [], os.open
    monkeypatch.setattr(os, "open", lambda path, *flags: opened.append(Path(path).name[-14:]) or real(path, *flags))
    assert files.read_images(chosen) == [coloured_image(*record) for record in chosen]
    assert opened == ["00003-of-00004", "00002-of-00004", "00000-of-00004"]


def test_the_files_of_a_split_are_its_shards(roots):
    (digests,) = records(roots[1], "toy", "train", SMALL, 5, Named()).files.values()
    names = [shard_file(Path(), shard, 4).name for shard in (0, 2)]  # 1 is empty, 3 of test classes alone
    assert list(digests) == ["dataset_spec.json", *names]


def test_a_changed_shard_is_decoded_again(roots, tmp_path):
    source = records(roots[1], "toy", "train", SMALL, 5, installed_decoder(6), ImageCache())
    before = source.episode(0)
    other = write_source(tmp_path / "other", lambda c, n: coloured_image(c + 100, n), images_per_class=12)
    folder = write_prepared(tmp_path / "changed", other, LENGTHS)
    place = roots[1] / "meta_dataset" / "toy" / "1.0.0"
    for shard in (0, 2):
        os.replace(shard_file(folder, shard, 4), shard_file(place, shard, 4))
    after = records(roots[1], "toy", "train", SMALL, 5, installed_decoder(6), ImageCache()).episode(0)
    assert torch.equal(after.support_x[:, 1:], before.support_x[:, 1:])
    assert ((after.support_x[:, 0].int() - before.support_x[:, 0].int()) == 100).all()


def test_damaged_shards_are_named(roots):
    files = shard_file(roots[1] / "meta_dataset" / "toy" / "1.0.0", 2, 4)
    whole = files.read_bytes()
    source = records(roots[1], "toy", "test", SMALL, 5, Named())
    files.write_bytes(whole[:-1])
    with pytest.raises(UserError, match=r"00002-of-00004: record 132 at byte \d+ is truncated"):
        source.episode(0)
    files.write_bytes(shard_file(files.parent, 0, 4).read_bytes())
    line = r"00002-of-00004: holds 50 records, but dataset_info\.json states 133; build the source again"
    with pytest.raises(UserError, match=line):
        source.episode(0)
    files.unlink()
    with pytest.raises(UserError, match=r"00002-of-00004: cannot be read \(No such file"):
        source.episode(0)


def test_an_undecodable_image_is_named_by_shard_and_record(tmp_path):
    spec = write_source(tmp_path, lambda c, n: b"no image" if (c, n) == (5, 11) else coloured_image(c, n), "toy", 12)
    write_prepared(tmp_path / "shards", spec, LENGTHS)
    source = batches(tmp_path / "shards", ["toy"], 5, installed_decoder(6), batch_size=72)
    with pytest.raises(UserError, match=r"00002-of-00004: the image of record 21 is not a whole still picture"):
        source.episode(0)


def test_the_official_reader_refuses_shards(roots):
    package = Package(*[None] * len(Package._fields))
    with pytest.raises(
        UserError, match=r"1\.0\.0: the official reader reads one file per class; set reader = @records"
    ):
        package.load_spec(load_spec(roots[1] / "toy"))
