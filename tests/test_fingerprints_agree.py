"""Fingerprints and pixels of episodes are the same for every way of reading them.

Classes and records of an episode are read from its pixels: every image of these records encodes its class and number.
"""

import json

import pytest
import torch

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.prefetch import prefetch
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.dumped import DumpedSource
from alfa_md.data.tfrecord.image_cache import ImageCache
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from alfa_md.system.distributed import SINGLE_PROCESS
from tests.data.records import write_source
from tests.entries.harness import needs_tensorflow
from tests.fingerprinted import (
    EPISODES,
    SIZE,
    drawn_source,
    evaluation_hashes,
    fingerprints_and_hashes,
    marked_image,
    records_in,
)
from tests.system.test_distributed import torchrun

CPU = torch.device("cpu")
SOME = range(6)

pytestmark = needs_tensorflow


@pytest.fixture(autouse=True)
def temporary_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    write_source(folder, marked_image)
    return folder


@pytest.fixture(scope="module")
def expected(root):
    """One thread, one process, no cache."""
    source = drawn_source(root)
    return fingerprints_and_hashes(source.episode(index) for index in SOME)


def test_pixels_identify_the_records(root, expected):
    source = drawn_source(root)
    assert [name for name, _ in expected] == [episode_fingerprint("toy", "test", source.draw(index)) for index in SOME]
    assert len({name for name, _ in expected}) == len({values for _, values in expected}) == len(SOME)


@pytest.mark.parametrize(("workers", "depth"), [(0, 1), (1, 4), (3, 2)])
def test_any_number_of_workers(root, expected, workers, depth):
    assert fingerprints_and_hashes(prefetch(drawn_source(root), SOME, CPU, workers, depth)) == expected


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", [TurboDecoder, TensorflowDecoder])
def test_any_decoder(root, expected, kind, threads):
    if kind is TurboDecoder:
        pytest.importorskip("simplejpeg")
    source = drawn_source(root, kind(SIZE, threads))
    assert fingerprints_and_hashes(source.episode(index) for index in SOME) == expected


def test_float32_cache(root, expected):
    cache = ImageCache("float32", max_images_per_class=15)  # half of every class is kept
    for _ in ("cold", "warm"):
        assert fingerprints_and_hashes(prefetch(drawn_source(root, cache=cache), SOME, CPU)) == expected


def test_uint8_cache_rounds_only(root, expected):
    cached, exact = drawn_source(root, cache=ImageCache()), drawn_source(root)
    for _ in ("cold", "warm"):
        for index in SOME:
            rounded, whole = cached.episode(index), exact.episode(index)
            for levels, images in ((rounded.support_x, whole.support_x), (rounded.query_x, whole.query_x)):
                assert torch.equal(levels.float(), ((images / 2 + 0.5) * 255).round())
            assert episode_fingerprint("toy", "test", records_in(rounded.to(CPU))) == expected[index][0]


def test_any_number_of_processes(root, tmp_path):
    done = torchrun("-m", "tests.fingerprinted", root, tmp_path)
    assert done.returncode == 0, done.stderr
    single_process = evaluation_hashes(root, SINGLE_PROCESS)
    assert len(single_process[0]) == len(set(single_process[0])) == EPISODES
    for rank in range(2):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == single_process


def test_dumped_and_replayed(root, expected, tmp_path):
    source = drawn_source(root)
    directory = dump_source(source, RecordFiles(load_spec(root / "toy")), SOME, tmp_path, seed=1)
    replayed = DumpedSource(directory, "toy", "test", installed_decoder(SIZE))
    assert fingerprints_and_hashes(prefetch(replayed, SOME, CPU)) == expected
    assert [replayed.fingerprint(index) for index in SOME] == [name for name, _ in expected]
