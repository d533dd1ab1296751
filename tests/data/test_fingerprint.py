"""Episode fingerprints, and known values that must be the same on every platform."""

import numpy as np
import pytest

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.sampling import Sampling
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.source import ClassRecords, RecordSource
from tests.data.records import decode_names, write_source

DRAWN = [ClassRecords(3, np.array([4, 1]), np.array([0])), ClassRecords(5, np.array([2]), np.array([7, 6]))]


def test_number_types_do_not_change_the_fingerprint():
    lists = [ClassRecords(np.int32(c.class_id), c.support.tolist(), c.query.astype(np.int16)) for c in DRAWN]
    assert episode_fingerprint("toy", "test", DRAWN) == episode_fingerprint("toy", "test", lists) == "ef2abc73b5f3825e"


@pytest.mark.parametrize(
    "other",
    [
        ("toys", "test", DRAWN),
        ("toy", "valid", DRAWN),
        ("toy", "test", DRAWN[:1]),
        ("toy", "test", DRAWN[::-1]),
        ("toy", "test", [DRAWN[0]._replace(class_id=4), DRAWN[1]]),
        ("toy", "test", [DRAWN[0]._replace(support=np.array([1, 4])), DRAWN[1]]),
        ("toy", "test", [ClassRecords(3, np.array([4]), np.array([1, 0])), DRAWN[1]]),
    ],
)
def test_every_part_of_an_episode_changes_the_fingerprint(other):
    assert episode_fingerprint(*other) != episode_fingerprint("toy", "test", DRAWN)


def test_golden_fingerprints(tmp_path):
    """Golden values: every platform, Python and NumPy must draw the same classes and records."""
    spec = write_source(tmp_path, images_per_class=[20 + 3 * n for n in range(18)])
    names = []
    for split, sampling, seed in [("train", Sampling(), 0), ("test", Sampling(num_ways=5, num_support=(1, 4)), 7)]:
        source = RecordSource(spec, split, sampling, DecodedImages(spec, decode_names), seed)
        names += [episode_fingerprint("toy", split, source.draw(index)) for index in (0, 599)]
    assert names == ["216f1094a2cec204", "3709d9741a346a7c", "2e7d98dd6fb1c09a", "cb2111de78c5b8a1"]
