"""Frames of one video are in support and query set no more often than by chance, for any file order."""

import numpy as np
import pytest

from alfa_md.data.sampling import Sampling
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.source import ClassRecords, RecordSource
from tests.data.records import decode_names, write_source
from tests.shared import shared_data

FRAMES = 30  # of a film
EPISODES = 400
TOLERANCE = 5.0  # standard errors
SAMPLING = {"num_ways": 5, "num_support": 3, "num_query": 5}

Films = dict[int, np.ndarray]  # class id -> the film of every record, in file order


def excess(drawn: list[list[ClassRecords]], films: Films) -> float:
    """Support/query pairs from one video, in standard errors above the expectation by chance."""
    surplus = []
    for episode in drawn:
        pairs = expected = 0.0
        for c in episode:
            own = films[c.class_id]
            pairs += (own[c.support][:, None] == own[c.query][None]).sum()
            sizes, n = np.unique(own, return_counts=True)[1], len(own)
            expected += len(c.support) * len(c.query) * (sizes * (sizes - 1)).sum() / (n * (n - 1))
        surplus.append(pairs - expected)
    return float(np.mean(surplus) / (np.std(surplus) / np.sqrt(len(surplus))))


def read_on(rng: np.random.RandomState, drawn: list[ClassRecords], films: Films) -> list[ClassRecords]:
    """The same episode from a reader that takes consecutive records, the failure that is tested for."""
    windows = []
    for c in drawn:
        size = len(c.support) + len(c.query)
        row = rng.permutation(size) + rng.randint(len(films[c.class_id]) - size)
        windows.append(ClassRecords(c.class_id, row[: len(c.support)], row[len(c.support) :]))
    return windows


def episodes(tmp_path, films: Films) -> list[list[ClassRecords]]:
    """Episodes drawn from 18 classes whose records are sorted by video."""
    counts = [len(films[class_id % len(films)]) for class_id in range(18)]
    spec = write_source(tmp_path, images_per_class=counts)
    source = RecordSource(spec, "train", Sampling(**SAMPLING), DecodedImages(spec, decode_names), seed=0)
    return [source.draw(index) for index in range(EPISODES)]


def both_readers(tmp_path, films: Films) -> tuple[float, float]:
    """The excess of this package's reader, and of a sequential reader as a positive control."""
    drawn, rng = episodes(tmp_path, films), np.random.RandomState(0)
    return excess(drawn, films), excess([read_on(rng, episode, films) for episode in drawn], films)


@pytest.mark.parametrize("num_films", [2, 10])
def test_videos_of_equal_length(num_films, tmp_path):
    own, reading_on = both_readers(tmp_path, {n: np.repeat(np.arange(num_films), FRAMES) for n in range(6)})
    assert abs(own) < TOLERANCE and reading_on > 4 * TOLERANCE


@pytest.mark.slow
def test_videos_of_real_traffic_signs(tmp_path):
    with np.load(shared_data("traffic_sign_subset.npz")) as arrays:
        labels, tracks = arrays["label"], arrays["track"]
    classes = np.unique(labels)[:6]
    films = {n: np.sort(tracks[labels == label]) for n, label in enumerate(classes)}
    own, reading_on = both_readers(tmp_path, films)
    assert abs(own) < TOLERANCE and reading_on > 4 * TOLERANCE
