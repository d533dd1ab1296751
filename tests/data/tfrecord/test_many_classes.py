"""Sources of thousands of classes: bounded number of open files, no memory growth over episodes."""

import os
import resource
import sys
from pathlib import Path

import pytest

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.data.tfrecord.source import RecordSource
from tests.data.records import decode_names, named_image

CLASSES = 5000
OPEN = 64  # files that the process may open beside those that are open already
MEGABYTE = 2**20

needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which Linux has")


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> DatasetSpec:
    """Five records per class, hard links to one file: only labels are wrong, which the reader ignores."""
    directory = tmp_path_factory.mktemp("records") / "many"
    sizes = {"train": CLASSES, "valid": 0, "test": 0}
    names = tuple(f"class {n}" for n in range(CLASSES))
    save_spec(DatasetSpec("many", names, (5,) * CLASSES, sizes), directory)
    first = directory / "0.tfrecords"
    write_records(first, (encode_example(named_image(0, number), 0) for number in range(5)))
    for class_id in range(1, CLASSES):
        os.link(first, directory / f"{class_id}.tfrecords")
    return load_spec(directory)


def source(spec: DatasetSpec) -> RecordSource:
    sampling = Sampling(num_ways=25, num_support=2, num_query=3)
    return RecordSource(spec, "train", sampling, DecodedImages(spec, decode_names), seed=0)


@needs_proc
def test_no_more_than_a_few_files_are_open(spec):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    own = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (own + OPEN, hard))
    try:
        reader = source(spec)
        seen = {c.class_id for index in range(200) for c in reader.draw(index)}
        for index in range(200):
            assert len(reader.episode(index).support_y) == 50
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(seen) > 3000


@needs_proc
def test_two_thousand_episodes_leak_nothing(spec):
    reader = source(spec)
    for index in range(1000):
        reader.episode(index)
    before = resident()
    for index in range(1000, 2000):
        reader.episode(index)
    assert resident() - before < 16 * MEGABYTE


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
