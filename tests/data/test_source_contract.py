"""The contract of episode sources; a new source is a new row."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
import torch

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images.reader import images
from alfa_md.data.mixture import Mixture
from alfa_md.data.sampling import Sampling
from alfa_md.data.sinusoid import Points, sinusoids
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.batches import batches
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.dumped import dumped
from alfa_md.data.tfrecord.image_cache import ImageCache
from alfa_md.data.tfrecord.reader import records
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError
from tests.data.images.layouts import write_split_folders
from tests.data.prepared import write_prepared
from tests.data.records import decode_names, write_source

SMALL = Sampling(max_support_set_size=20)
FIXED = Sampling(num_ways=5, num_support=2, num_query=3)
EPISODES = 4  # that are dumped


class Named:
    """A decoder of `named_image` for the cache: 2 x 2 pixels of the grey levels (class id, record number, 0)."""

    name, image_size = "names", 2

    def decode_unnormalised(self, encoded) -> torch.Tensor:
        return decode_names(encoded).expand(-1, 3, 2, 2)

    def __call__(self, encoded) -> torch.Tensor:
        return self.decode_unnormalised(encoded) / 127.5 - 1


class Row(NamedTuple):
    """Makes a source of (folder of data, split, seed)."""

    make: Callable[[Path, str, int], EpisodeSource]
    names: tuple[str, ...]  # of the sources that its episodes come from
    splits: tuple[str, ...] = ("train", "valid", "test")
    seeded: bool = True  # False if the episodes are files, which no seed changes
    support: bool = True  # False for batches, which have only query images of any class
    labels: torch.dtype = torch.int64


def dumped_source(root: Path, split: str, seed: int) -> EpisodeSource:
    return dumped(root / "dumped", "toy", split, None, seed, Named())


def mixture(root: Path, split: str, seed: int) -> EpisodeSource:
    return Mixture([records(root, name, split, SMALL, seed, Named()) for name in ("toy", "other")], seed)


ROWS = {
    "records": Row(lambda *place: from_records(*place, SMALL), ("toy",)),
    "records, fixed way and shot": Row(lambda *place: from_records(*place, FIXED), ("toy",)),
    "records, cached": Row(lambda *place: from_records(*place, SMALL, Named(), ImageCache()), ("toy",)),
    "records in shards": Row(
        lambda root, split, seed: records(root, "sharded", split, SMALL, seed, Named(), ImageCache()), ("sharded",)
    ),
    "images": Row(lambda root, split, seed: images(root, "pets", split, FixedWay(2, 1, 2), seed), ("pets",)),
    "sinusoid": Row(
        lambda root, split, seed: sinusoids(root, "sine", split, Points(), seed), ("sine",), labels=torch.float32
    ),
    "mixture": Row(mixture, ("toy", "other")),
    "batches": Row(
        lambda root, split, seed: batches(root, ["toy"], seed, Named(), batch_size=7),
        *(("toy",), ("train",)),
        support=False,
    ),
    "batches of several": Row(
        lambda root, split, seed: batches(root, ["toy", "other"], seed, Named(), batch_size=7),
        *(("toy", "other"), ("train",)),
        support=False,
    ),
    "dumped": Row(dumped_source, ("toy",), ("test",), seeded=False),
}
every_source = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def from_records(root: Path, split: str, seed: int, sampling: Sampling, *reading: object) -> EpisodeSource:
    return records(root, "toy", split, sampling, seed, *(reading or [Named()]))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with two sources of records, a folder of images and dumped episodes; and a cache directory."""
    root = tmp_path_factory.mktemp("root")
    write_source(root, name="toy")
    write_source(root, name="other", images_per_class=12)
    sharded = write_source(root / "files", name="sharded", images_per_class=12)
    write_prepared(root, sharded, (100, 116))
    write_split_folders(root / "pets")
    drawn = records(root, "toy", "test", SMALL, 3, Named())
    dump_source(drawn, RecordFiles(load_spec(root / "toy")), range(EPISODES), root / "dumped", 3)
    with mock.patch.dict("os.environ", {"ALFA_MD_CACHE": str(root / "cache")}):
        yield root


def equal(a: Episode, b: Episode) -> bool:
    """True if two episodes are equal in values and names."""
    return a[4:] == b[4:] and all(torch.equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))


def same_values(a: Episode, b: Episode) -> bool:
    """True if the query sets of two episodes are equal."""
    return all(x.shape == y.shape and torch.equal(x, y) for x, y in zip(a[2:4], b[2:4], strict=True))


@every_source
def test_an_episode_has_the_name_that_it_is_drawn_by(row, root):
    for split in row.splits:
        source = row.make(root, split, 3)
        episodes = [source.episode(index) for index in range(EPISODES)]
        assert source.split == split and (source.name in row.names or source.name == "mixture")
        for index, episode in enumerate(episodes):
            assert (episode.split, episode.seed, episode.index) == (split, 3, index) and episode.source in row.names
            assert episode.name == f"{episode.source} {split} episode {index} of seed 3"


@every_source
def test_an_episode_is_a_pure_function_of_its_name(row, root):
    """The same twice, from another object, in another order and from several threads."""
    for split in row.splits:
        source, other = row.make(root, split, 0), row.make(root, split, 0)
        expected = [source.episode(index) for index in range(EPISODES)]
        with ThreadPoolExecutor(4) as pool:
            threaded = list(pool.map(other.episode, [*reversed(range(EPISODES)), *range(EPISODES)]))
        assert all(map(equal, threaded, [*reversed(expected), *expected]))
        assert equal(source.episode(0), expected[0])


@every_source
def test_episodes_differ_by_index_seed_and_split(row, root):
    drawn = [
        row.make(root, split, seed).episode(index)
        for split in row.splits
        for seed in ((0, 1) if row.seeded else (0,))
        for index in range(3)
    ]
    assert not any(same_values(a, b) for place, a in enumerate(drawn) for b in drawn[:place])


@pytest.mark.parametrize("row", [row for row in ROWS.values() if not row.seeded])
def test_no_seed_changes_episodes_that_are_files(row, root):
    one, other = (row.make(root, row.splits[0], seed).episode(0) for seed in (0, 1))
    assert equal(one, other)


@every_source
def test_fingerprints_tell_the_episodes_of_all_splits_and_seeds_apart(row, root):
    places = [(split, seed) for split in row.splits for seed in ((0, 1) if row.seeded else (0,))]
    sources = [row.make(root, *place) for place in places]
    found = [source.fingerprint(index) for source in sources for index in range(EPISODES)]
    if set(found) == {None}:
        assert not row.support or len(row.names) > 1  # batches and mixtures, which are not evaluated
    else:
        assert len(set(found)) == len(found) and all(re.fullmatch("[0-9a-f]{16}", each) for each in found)
    again = [row.make(root, *place).fingerprint(EPISODES - 1) for place in places]
    assert again == found[EPISODES - 1 :: EPISODES]


@every_source
def test_types_and_shapes(row, root):
    for split in row.splits:
        episode = row.make(root, split, 0).episode(1)
        assert {episode.support_y.dtype, episode.query_y.dtype} == {row.labels}
        assert episode.support_x.dtype == episode.query_x.dtype in (torch.float32, torch.uint8)
        assert episode.support_x.shape[1:] == episode.query_x.shape[1:] and len(episode.query_x) > 0
        assert (len(episode.support_x), len(episode.query_x)) == (len(episode.support_y), len(episode.query_y))
        assert (len(episode.support_x) > 0) == row.support
        assert isinstance(episode.way, int) and not any(tensor.requires_grad for tensor in episode[:4])
        assert episode.to(torch.device("cpu")).support_x.dtype == torch.float32


@every_source
def test_classes_are_grouped_and_numbered_from_0(row, root):
    for split in row.splits:
        for index in range(EPISODES):
            episode = row.make(root, split, 0).episode(index)
            if row.labels.is_floating_point:
                assert episode.way == 1 and episode.support_y.shape == (len(episode.support_x), 1)
            elif row.support:
                for labels in (episode.support_y, episode.query_y):
                    assert labels.unique_consecutive().tolist() == list(range(episode.way))
            else:
                assert 0 <= episode.query_y.min() and episode.query_y.max() < episode.way


@every_source
def test_support_and_query_share_no_image(row, root):
    for index in range(EPISODES):
        episode = row.make(root, row.splits[-1], 0).episode(index)
        support, query = ({tuple(x.flatten().tolist()) for x in part} for part in (episode.support_x, episode.query_x))
        assert not support & query


@every_source
def test_the_stamp_is_plain_json_and_knows_no_seed(row, root):
    for split in row.splits:
        stamp = row.make(root, split, 0).stamp()
        assert isinstance(stamp, dict) and stamp and json.loads(json.dumps(stamp)) == stamp
        assert row.make(root, split, 1).stamp() == stamp


def needs_no_files(row: Row, split: str) -> bool:
    """True if the source draws episodes without its root."""
    try:
        return bool(row.make(Path("nowhere"), split, 0).episode(0))
    except UserError:
        return False


@every_source
def test_the_files_behind_a_source_have_digests(row, root):
    """By source and split; the same in every process, and none for generated data."""
    for split in row.splits:
        files = row.make(root, split, 0).files
        generated = needs_no_files(row, split)
        place = split if row.seeded else f"dumped/{split}"
        assert list(files) == ([] if generated else [f"{name} {place}" for name in row.names])
        assert all(files.values()) and files == row.make(root, split, 7).files
