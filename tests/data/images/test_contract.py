"""Contract of all image data sets, in every layout."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images.reader import data_set_module, images
from alfa_md.errors import MissingSource, UserError
from tests.data.images import archives, layouts

SPLITS = ("train", "valid", "test")

# "<data set>" or "<data set> <layout>" -> writes a tiny copy of it into the folder given, which does not exist yet: in
# every split at least two classes of at least three images.
ROWS: dict[str, Callable[[Path], None]] = {
    "folder split_folders": layouts.write_split_folders,
    "folder split_file": layouts.write_own_data,
    "birds_of_mine": layouts.write_own_data,
    "mini_imagenet folders": layouts.write_mini_imagenet_folders,
    "mini_imagenet csv": layouts.write_mini_imagenet_csv,
    "cub": layouts.write_cub,
    "omniglot_images": layouts.write_omniglot,
    **{f"{layout.name} {title}": layout.write for title, layout in archives.LAYOUTS.items()},
}
SAMPLING = FixedWay(way=2, shots=1, queries=2)


@pytest.fixture(params=ROWS)
def written(request, tmp_path) -> tuple[Path, str]:
    """(root, data set name) of a data set that has been written."""
    name = request.param.split()[0]
    ROWS[request.param](tmp_path / name)
    return tmp_path, name


def opened(written, split: str):
    root, name = written
    return data_set_module(name).open_split(root / name, split)


def test_an_episode_of_every_split(written):
    root, name = written
    size = data_set_module(name).TRANSFORM.size
    for split in SPLITS:
        source = images(root, name, split, SAMPLING, seed=0)
        episode = source.episode(3)
        assert (episode.source, episode.split, episode.way) == (name, split, 2)
        assert (episode.seed, episode.index) == (0, 3)
        assert episode.support_x.shape == (2, 3, size, size) and episode.query_x.shape == (4, 3, size, size)
        assert episode.support_y.tolist() == [0, 1] and episode.query_y.tolist() == [0, 0, 1, 1]
        assert episode.support_x.dtype == torch.float32 and episode.support_y.dtype == torch.int64
        assert episode.support_x.isfinite().all() and episode.query_x.isfinite().all()


def test_an_episode_depends_on_its_name_alone(written):
    root, name = written
    source = images(root, name, "train", SAMPLING, seed=0)
    in_order = [source.episode(index) for index in range(4)]
    again = images(root, name, "train", SAMPLING, seed=0, cache_megabytes=0)
    with ThreadPoolExecutor(4) as pool:
        anew = list(pool.map(again.episode, reversed(range(4))))
    for a, b in zip(in_order, reversed(anew), strict=True):
        assert torch.equal(a.support_x, b.support_x) and torch.equal(a.query_x, b.query_x)


def test_classes_are_sorted_and_in_one_split(written):
    sets = [opened(written, split) for split in SPLITS]
    names = [name for images_of_split in sets for name in images_of_split.class_names]
    assert len(names) == len(set(names)) or all(name.isdecimal() for name in names)  # some archives only number them
    for images_of_split in sets:
        assert list(images_of_split.class_names) == sorted(images_of_split.class_names)
        assert len(images_of_split.images_per_class) == len(images_of_split.class_names) >= 2


def test_every_image_has_a_supported_mode(written):
    for split in SPLITS:
        images_of_split = opened(written, split)
        for class_id, count in enumerate(images_of_split.images_per_class):
            for number in range(count):
                picture = images_of_split.image(class_id, number)
                assert picture.mode in ("1", "L", "RGB") and min(picture.size) > 0


def test_the_stamp_survives_json_and_says_that_a_tiny_copy_is_no_published_build(written):
    root, name = written
    stamp = images(root, name, "test", SAMPLING, seed=0).stamp()
    assert json.loads(json.dumps(stamp)) == stamp
    assert stamp["layout"] and stamp["build"].startswith("unrecognised")


def test_too_large_a_way_and_too_many_images_name_the_data_set(written):
    root, name = written
    with pytest.raises(UserError, match=f"^{name} valid: has .* classes, but FixedWay.way = 50; lower it"):
        images(root, name, "valid", FixedWay(way=50), seed=0)
    with pytest.raises(UserError, match=f"^{name} valid: class .* images, but FixedWay.shots = 1 and .*queries = 90"):
        images(root, name, "valid", FixedWay(way=2, queries=90), seed=0)


@pytest.mark.parametrize("name", sorted({row.split()[0] for row in ROWS}))
def test_a_missing_source_names_its_path(name, tmp_path):
    with pytest.raises(MissingSource, match=str(tmp_path / name)):
        images(tmp_path, name, "train", SAMPLING, seed=0)
    (tmp_path / name).mkdir()
    with pytest.raises(MissingSource, match=str(tmp_path / name)):
        images(tmp_path, name, "train", SAMPLING, seed=0)
