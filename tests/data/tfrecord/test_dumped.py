"""Dumping and replay of episodes: equality, the official format, and damaged files."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.sampling import Sampling
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.dumped import DumpedSource, dumped
from alfa_md.data.tfrecord.image_cache import ImageCache
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.records import encode_example, read_records, scan_offsets, write_records
from alfa_md.data.tfrecord.source import RecordSource
from alfa_md.errors import MissingSource, UserError
from tests.data.records import coloured_image, decode_names, named_image, write_source

EPISODES = 4
SEED = 3


def source_of(spec, decoder=decode_names) -> RecordSource:
    return RecordSource(spec, "test", Sampling(max_support_set_size=30), DecodedImages(spec, decoder), SEED)


def dumped_to(folder: Path, spec) -> Path:
    return dump_source(source_of(spec), RecordFiles(spec), range(EPISODES), folder, SEED)


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("records"))


@pytest.fixture
def directory(spec, tmp_path):
    return dumped_to(tmp_path / "episodes", spec)


def replayed(directory: Path, decoder=decode_names, **options) -> DumpedSource:
    return DumpedSource(directory, "toy", "test", decoder, **options)


def equal(a, b) -> bool:
    """True if two episodes are equal in values and names."""
    tensors = all(torch.equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))
    return tensors and a[4:] == b[4:]


def test_a_replayed_episode_is_the_one_that_was_dumped(spec, directory):
    ours, again = source_of(spec), replayed(directory)
    assert directory == directory.parents[1] / "test" / "toy" and len(again) == EPISODES
    for index in range(EPISODES):
        assert equal(again.episode(index), ours.episode(index))
        assert again.fingerprint(index) == episode_fingerprint("toy", "test", ours.draw(index))


def test_the_files_are_those_of_the_format(spec, directory):
    sides = [f"episode-{index:04d}-{side}.tfrecords" for index in range(EPISODES) for side in ("test", "train")]
    assert sorted(os.listdir(directory)) == [*sides, "fingerprints.json", "images_per_class.json"]
    assert os.listdir(directory.parent) == ["toy"]
    counts = json.loads((directory / "images_per_class.json").read_text())
    assert list(counts) == [f"episode-{index:04d}-{side}.tfrecords" for index in range(4) for side in ("train", "test")]
    drawn = source_of(spec).draw(2)
    assert counts["episode-0002-train.tfrecords"] == {str(label): len(c.support) for label, c in enumerate(drawn)}
    file = directory / "episode-0002-test.tfrecords"
    offsets = scan_offsets(file)
    examples = [encode_example(named_image(c.class_id, n), label) for label, c in enumerate(drawn) for n in c.query]
    assert read_records(file, offsets, range(len(offsets) - 1)) == examples


def test_tensorflow_reads_them_as_the_original_program_does(tf, spec, directory):
    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    counts = json.loads((directory / "images_per_class.json").read_text())
    for file, of in counts.items():
        parsed = [tf.io.parse_single_example(r, features) for r in tf.data.TFRecordDataset(str(directory / file))]
        assert Counter(str(int(example["label"])) for example in parsed) == of
    drawn = source_of(spec).draw(3)
    first = next(iter(tf.data.TFRecordDataset(str(directory / "episode-0003-train.tfrecords"))))
    image = tf.io.parse_single_example(first, features)["image"].numpy()
    assert image == named_image(drawn[0].class_id, drawn[0].support[0])


def official(directory: Path, episodes: dict[int, tuple[list[int], list[int]]]) -> Path:
    """Write episodes as other programs may do: numbers with gaps, unsorted labels, no fingerprints."""
    directory.mkdir(parents=True)
    counts = {}
    for number, labels in episodes.items():
        for side, of in zip(("train", "test"), labels, strict=True):
            file = directory / f"episode-{number:04d}-{side}.tfrecords"
            write_records(file, [encode_example(named_image(label, place), label) for place, label in enumerate(of)])
            counts[file.name] = {str(label): count for label, count in Counter(of).items()}
    (directory / "images_per_class.json").write_text(json.dumps(counts))
    return directory


def test_dumps_of_another_program(tmp_path):
    found = replayed(official(tmp_path / "toy", {12345: ([0, 1], [1]), 7: ([1, 0, 1, 2], [2, 2])}), seed=5)
    first, second = found.episode(0), found.episode(1)
    assert len(found) == 2 and found.fingerprint(0) is None
    assert first.support_x[:, :2, 0, 0].tolist() == [[0, 1], [1, 0], [1, 2], [2, 3]]  # by class, else as in the file
    assert (first.support_y.tolist(), first.query_y.tolist(), first.way) == ([0, 1, 1, 2], [2, 2], 3)
    assert (second.support_y.tolist(), second.query_y.tolist(), second.way) == ([0, 1], [1], 2)
    assert (first.source, first.split, first.seed, second.index) == ("toy", "test", 5, 1)
    assert first.query_y.dtype == torch.int64


def test_pixels_are_rounded_as_the_cache_rounds_them(tmp_path):
    simplejpeg = pytest.importorskip("simplejpeg")
    assert simplejpeg
    from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder

    spec, decoder, cache = write_source(tmp_path / "records", coloured_image), TurboDecoder(8), ImageCache()
    cached = RecordSource(spec, "test", Sampling(), cache.images(spec, decoder), SEED)
    dump_source(cached, RecordFiles(spec), range(1), tmp_path, SEED)
    rounded = replayed(tmp_path / "test" / "toy", decoder, cache=cache)
    assert rounded.episode(0).query_x.dtype == torch.uint8 and equal(rounded.episode(0), cached.episode(0))
    exact = replayed(tmp_path / "test" / "toy", decoder, cache=ImageCache("float32"))
    drawn = RecordSource(spec, "test", Sampling(), DecodedImages(spec, decoder), SEED)
    assert exact.episode(0).query_x.dtype == torch.float32 and equal(exact.episode(0), drawn.episode(0))
    assert (rounded.stamp()["cache"], exact.stamp()["cache"]) == ("uint8", "float32")


def test_the_reader_finds_them_below_its_folder_or_the_root(directory):
    folder = directory.parents[1]
    for root, options in ((folder, {}), (Path("elsewhere"), {"folder": str(folder)})):
        assert dumped(root, "toy", "test", None, 0, decode_names, **options).directory == directory
    with pytest.raises(MissingSource, match="valid/toy: not found; dumped episodes lie in <folder>/<split>/<source>"):
        dumped(folder, "toy", "valid", None, 0, decode_names)


class Named:
    """A decoder with the attributes of a stamp."""

    name, image_size = "named", 1


def test_the_stamp_changes_with_the_files(directory, tmp_path):
    stamp = replayed(directory, Named()).stamp()
    copy = Path(shutil.copytree(directory, tmp_path / "copy"))
    assert replayed(copy, Named()).stamp() == stamp
    assert {stamp[key] for key in ("reader", "decoder", "image_size")} == {"dumped", "named", 1}
    (copy / "episode-0001-test.tfrecords").write_bytes(b"")
    assert replayed(copy, Named()).stamp() != stamp


def test_nothing_is_overwritten_and_no_partial_dump_remains(spec, directory, tmp_path):
    with pytest.raises(UserError, match="test/toy: is there already; choose another folder"):
        dumped_to(tmp_path / "episodes", spec)

    def indices():
        yield 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump_source(source_of(spec), RecordFiles(spec), indices(), tmp_path / "other", SEED)
    assert list((tmp_path / "other" / "test").iterdir()) == []


def changed(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


FIRST = "episode-0000-train.tfrecords"
COUNTS, NAMES = "images_per_class.json", "fingerprints.json"


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda d: (d / COUNTS).unlink(), "images_per_class.json: not found; dumping was interrupted"),
        (lambda d: (d / COUNTS).write_text("{"), "images_per_class.json: is not valid JSON"),
        (lambda d: (d / COUNTS).write_text("[" * 100_000), "images_per_class.json: is nested too deeply"),
        (lambda d: (d / COUNTS).write_text("[]"), "images_per_class.json: must say {file: {label"),
        (lambda d: (d / COUNTS).write_text('{"a": {"x": 1}}'), "images_per_class.json: must say {file: {label"),
        (lambda d: (d / COUNTS).write_text('{"a": {"0": "1"}}'), "images_per_class.json: must say {file: {label"),
        (lambda d: (d / COUNTS).write_text('{"a": {"0": 0}}'), "images_per_class.json: must say {file: {label"),
        (lambda d: (d / FIRST).unlink(), f"{FIRST}: not found, half of episode 0 is missing; dump"),
        (lambda d: changed(d / COUNTS, lambda c: c.pop(FIRST)), f"does not count the images of {FIRST}"),
        (lambda d: changed(d / COUNTS, lambda c: c[FIRST].pop("0")), "episode 0 has support labels"),
        (lambda d: changed(d / COUNTS, lambda c: c[FIRST].clear()), "episode 0 has support labels"),
        (lambda d: (d / NAMES).write_text("3"), "fingerprints.json: must say seed and fingerprints; remove it"),
        (lambda d: changed(d / NAMES, lambda c: c.update(seed="0")), "must say seed and fingerprints; remove it"),
        (lambda d: changed(d / NAMES, lambda c: c["fingerprints"].pop()), "has 3 fingerprints for 4 episodes"),
        (lambda d: [file.unlink() for file in d.glob("*.tfrecords")], "toy: holds no episode"),
    ],
)
def test_an_invalid_directory_is_refused_at_construction(directory, damage, line):
    damage(directory)
    with pytest.raises(UserError) as caught:
        replayed(directory)
    assert line in str(caught.value) and str(directory) in str(caught.value)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-3]), r"record \d+ at byte \d+ is truncated"),
        (flipped, "record 0 at byte 0 is corrupt"),
        (lambda file: file.write_bytes(b""), "its labels are not those that images_per_class.json counts"),
        (lambda file: write_records(file, [b""]), "record 0 has 0 values in its feature 'image'"),
        (lambda file: write_records(file, [encode_example(b"0 0", 1)]), "its labels are not those that"),
    ],
)
def test_an_invalid_file_is_named_when_it_is_read(directory, damage, line):
    damage(directory / FIRST)
    found = replayed(directory)
    with pytest.raises(UserError, match=f"{FIRST}: {line}"):
        found.episode(0)
    assert found.episode(1).index == 1


def test_no_more_episodes_than_there_are(directory):
    with pytest.raises(UserError, match=r"toy: there are 4 episodes; ask for no more \(--num_episodes\)"):
        replayed(directory).episode(EPISODES)


def test_an_undecodable_image_is_named(directory):
    pytest.importorskip("simplejpeg")
    from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder

    with pytest.raises(UserError, match=f"{FIRST}: the image of record 0 is not a whole still picture"):
        replayed(directory, TurboDecoder(8)).episode(0)
