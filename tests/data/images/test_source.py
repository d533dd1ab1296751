"""ImageSource over an image set in memory whose pixels encode class and number."""

import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.source import ImageSource
from alfa_md.data.images.transform import Transform
from alfa_md.errors import UserError

RAW = Transform(size=4, filter="nearest")


class Named(ImageSet):
    """Images whose left upper pixel is (class, number, 0), the rest black; counts what is read."""

    def __init__(self, images_per_class=(9, 8, 7, 6)):
        self.images_per_class = images_per_class
        self.class_names = tuple(f"c{i}" for i in range(len(images_per_class)))
        self.reads = 0

    def image(self, class_id, number):
        self.reads += 1
        image = Image.new("RGB", (4, 4))
        image.putpixel((0, 0), (class_id, number, 0))
        return image

    def stamp(self):
        return {"layout": "in memory", "build": "unrecognised"}


def source(images=None, split="train", seed=0, transform=RAW, **options) -> ImageSource:
    return ImageSource(images or Named(), "named", split, FixedWay(3, 2, 4), transform, seed, **options)


def names(images: torch.Tensor) -> list[tuple[int, int]]:
    """(class, number) of each image, wherever its corner has been turned."""
    values = (images.amax(dim=(2, 3)) * 255).round().int()
    return [(c, n) for c, n, _ in values.tolist()]


@pytest.mark.parametrize("rotates", [False, True])
def test_an_episode_is_what_was_drawn(rotates):
    ours = source(rotates=rotates)
    for index in range(6):
        drawn, episode = ours.draw(index), ours.episode(index)
        assert names(episode.support_x) == [(c.class_id, n) for c in drawn for n in c.support]
        assert names(episode.query_x) == [(c.class_id, n) for c in drawn for n in c.query]
        assert episode.support_y.tolist() == [0, 0, 1, 1, 2, 2]
        assert episode.query_y.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_episodes_differ_by_seed_split_and_index():
    def content(**options):
        return names(source(**options).episode(0).query_x)

    first = content()
    assert first == content()
    assert first != content(seed=1) and first != content(split="test")
    assert first != names(source().episode(1).query_x)


def test_a_class_is_rotated_as_one_and_only_if_the_source_rotates():
    corners = {0: (0, 0), 1: (3, 0), 2: (3, 3), 3: (0, 3)}  # (row, column) after so many turns to the left
    turned, upright = source(rotates=True), source()
    for index in range(6):
        for label, chosen in enumerate(turned.draw(index)):
            row, column = corners[chosen.quarter_turns]
            episode = turned.episode(index)
            for images in (episode.support_x[2 * label :][:2], episode.query_x[4 * label :][:4]):
                lit = [tuple(np.argwhere(image.amax(0).numpy())[0]) for image in images if image.any()]
                assert set(lit) <= {(row, column)}
        assert not upright.episode(index).support_x[:, :, 1:].any()


@pytest.mark.parametrize("megabytes, most", [(1, 30), (0, None)])
def test_the_cache_saves_reading_and_changes_nothing(megabytes, most):
    images = Named()
    ours = source(images, cache_megabytes=megabytes)
    first = [ours.episode(index).query_x for index in range(20)]
    reads = images.reads
    again = [ours.episode(index).query_x for index in range(20)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert reads <= most and images.reads == reads if most else images.reads == 2 * reads == 2 * 20 * 18


def test_the_cache_keeps_to_its_bound():
    images = Named((400, 400, 400))
    ours = source(images, transform=Transform(size=64), cache_megabytes=1)  # holds 85 of them
    for index in range(20):
        ours.episode(index)
    before = images.reads
    ours.episode(0)
    assert before > 300 and 0 <= images.reads - before <= 18
    assert len(ours._cache) == 2**20 // (64 * 64 * 3)


def test_the_stamp_differs_by_data_set_and_transform():
    stamps = [source().stamp(), source(Named((9, 8, 7, 7))).stamp(), source(transform=Transform(size=5)).stamp()]
    assert stamps[0] == source(seed=3).stamp()
    assert stamps[0]["classes"] != stamps[1]["classes"] and stamps[0]["transform"] != stamps[2]["transform"]


def test_a_split_too_small_is_refused_at_construction():
    with pytest.raises(UserError, match="named train: class c1 has 5 images"):
        source(Named((9, 5, 9)))
