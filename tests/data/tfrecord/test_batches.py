"""Pretraining batches: every image once per epoch, as a pure function of the index."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from alfa_md.data.mixture import Mixture
from alfa_md.data.tfrecord.batches import BatchSource, batches
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.errors import UserError
from tests.data.records import CLASSES_PER_SPLIT, coloured_image, decode_names, write_source

SIZES = [5, 1, 9, 4, 0, 11] + [3] * 12  # of the classes: six for training, 30 images together
IMAGES = sorted((c, n) for c in range(6) for n in range(SIZES[c]))


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("records"), images_per_class=SIZES)


def source(spec, seed=0, batch_size=8, offset=0, num_classes=6) -> BatchSource:
    return BatchSource(spec, DecodedImages(spec, decode_names), seed, batch_size, offset, num_classes)


def names(episode) -> list[tuple[int, int]]:
    """(class id, record number) of each image of a batch."""
    return [(int(c), int(n)) for c, n in episode.query_x[:, :2, 0, 0].tolist()]


def test_every_image_once_an_epoch_and_the_last_batch_short(spec):
    ours = source(spec)
    assert (ours.num_images, ours.batches_per_epoch) == (30, 4)
    epochs = [[names(ours.episode(index)) for index in range(first, first + 4)] for first in (0, 4, 40)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [8, 8, 8, 6]
        assert sorted(sum(epoch, [])) == IMAGES
    assert epochs[0] != epochs[1] != epochs[2] and sum(epochs[0], []) != IMAGES


@pytest.mark.parametrize("batch_size, per_epoch, last", [(1, 30, 1), (10, 3, 10), (30, 1, 30), (256, 1, 30)])
def test_batch_sizes(spec, batch_size, per_epoch, last):
    ours = source(spec, batch_size=batch_size)
    assert ours.batches_per_epoch == per_epoch
    assert len(ours.draw(per_epoch - 1)) == last
    assert sorted(pair for index in range(per_epoch, 2 * per_epoch) for pair in ours.draw(index)) == IMAGES


def test_a_batch_is_an_episode_without_support_set(spec):
    episode = source(spec, seed=3, offset=10, num_classes=20).episode(5)
    assert episode.support_x.shape == (0, 3, 1, 1) and episode.support_y.shape == (0,)
    assert episode.support_y.dtype == episode.query_y.dtype == torch.int64
    assert episode.query_y.tolist() == [10 + c for c, _ in names(episode)]
    assert (episode.way, episode.source, episode.split) == (20, "toy", "train")
    assert (episode.seed, episode.index) == (3, 5)


def test_a_batch_is_a_function_of_seed_and_index(spec):
    ours = source(spec)
    forwards = [ours.draw(index) for index in range(12)]
    assert [source(spec).draw(index) for index in reversed(range(12))] == forwards[::-1]
    assert [source(spec, seed=1).draw(index) for index in range(12)] != forwards


def test_threads_do_not_change_batches(spec):
    ours, indices = source(spec), [index for start in range(4) for index in range(start, 80, 4)]  # epochs in disorder
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ours.draw, indices))
    assert together == [source(spec).draw(index) for index in indices]


def test_positions_in_an_epoch_are_uniform(spec):
    ours = source(spec, batch_size=10)
    counts = dict.fromkeys(IMAGES, 0)
    for epoch in range(600):
        for pair in ours.draw(3 * epoch):
            counts[pair] += 1
    chi_square = sum((count - 200) ** 2 / 200 for count in counts.values())
    assert chi_square < 60  # 29 degrees of freedom: above 58 once in a thousand seeds, and this seed is fixed


def test_one_source_is_no_mixture(spec):
    made = batches(spec.path.parent, ["toy"], seed=0, decoder=decode_names)
    assert isinstance(made, BatchSource)
    assert (made.batch_size, made.offset, made.num_classes) == (256, 0, CLASSES_PER_SPLIT["TRAIN"])
    assert made.draw(7) == source(spec, batch_size=256).draw(7)


def test_labels_of_several_sources_follow_each_other(tmp_path):
    for name in ("a", "b", "c"):
        write_source(tmp_path, name=name, images_per_class=2)
    made = batches(tmp_path, ["b", "a", "c"], seed=0, decoder=decode_names, batch_size=12)
    assert isinstance(made, Mixture) and made.split == "train"
    found = {}
    for index in range(30):
        episode = made.episode(index)
        assert episode.way == 18 and episode.index == index
        found[episode.source] = set(episode.query_y.tolist())
    assert found == {"b": set(range(6)), "a": set(range(6, 12)), "c": set(range(12, 18))}


def test_a_source_without_training_images_is_refused(tmp_path):
    write_source(tmp_path, images_per_class=[0] * 6 + [3] * 12)
    with pytest.raises(UserError, match="toy has no images of training classes; leave it out of Experiment.train_sou"):
        batches(tmp_path, ["toy"], seed=0, decoder=decode_names)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None])
def test_an_invalid_batch_size_is_refused(spec, size):
    with pytest.raises(UserError, match="batches.batch_size = .* must be a whole number of at least 1"):
        source(spec, batch_size=size)


def test_real_pixels_and_stamp(tf, tmp_path):
    write_source(tmp_path, coloured_image)
    made = batches(tmp_path, ["toy"], seed=0, decoder=TensorflowDecoder(8), batch_size=16)
    episode = made.episode(2)
    assert episode.query_x.shape == (16, 3, 8, 8) and episode.support_x.shape == (0, 3, 8, 8)
    colours = ((episode.query_x[:, :2, 0, 0] / 2 + 0.5) * 255).round().int().tolist()
    assert [tuple(colour) for colour in colours] == made.draw(2)
    stamp = made.stamp()
    assert (stamp["batch_size"], stamp["image_size"], stamp["decoder"]) == (16, 8, "tensorflow")
