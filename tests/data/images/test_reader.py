import gin
import pytest

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images import cub, folder, mini_imagenet, omniglot_images
from alfa_md.data.images.reader import data_set_module, images
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.data.sampling import Sampling
from alfa_md.errors import UserError
from alfa_md.experiment import config
from tests.data.images.layouts import write_cub, write_omniglot, write_own_data

SAMPLING = FixedWay(way=2, shots=1, queries=1)
DRAWN_AND_TAKEN = ("cub", "omniglot_images")


@pytest.mark.parametrize("name", ["birds", "my-data", "reader", "transform", "image_set", "a space", "a.b", "folder"])
def test_other_names_are_the_users_own_data(name):
    assert data_set_module(name) is folder


def test_data_sets_are_found_by_name():
    for module in (cub, mini_imagenet, omniglot_images):
        assert data_set_module(module.__name__.rpartition(".")[2]) is module


def test_one_transform_for_all_or_one_by_name(tmp_path):
    """As a network trained on photos of 84 pixels is tested on others: ImageNet's statistics, but raw drawings."""
    write_cub(tmp_path / "cub")
    write_omniglot(tmp_path / "omniglot_images")
    small = Transform(size=8, **IMAGENET)
    for name in ("cub", "omniglot_images"):
        assert images(tmp_path, name, "test", SAMPLING, 0, transform=small).episode(0).query_x.shape == (2, 3, 8, 8)
    drawings = Transform(size=9, filter="lanczos")
    by_name = {"omniglot_images": drawings}
    assert images(tmp_path, "cub", "test", SAMPLING, 0, by_name).stamp()["transform"] == cub.TRANSFORM.stamp()
    source = images(tmp_path, "omniglot_images", "test", SAMPLING, 0, by_name)
    assert source.stamp()["transform"] == drawings.stamp() and source.episode(0).query_x.shape == (2, 3, 9, 9)


def test_bindings_of_a_gin_file(tmp_path):
    write_cub(tmp_path / "cub")
    write_omniglot(tmp_path / "omniglot_images")
    try:
        config.parse(
            [],
            [
                "images.transform = {'omniglot_images': @drawings/Transform()}",
                "drawings/Transform.size = 9",
                "drawings/Transform.filter = 'lanczos'",
                "images.cache_megabytes = 0",
            ],
        )
        sizes = {n: images(tmp_path, n, "test", SAMPLING, 0).episode(0).query_x.shape[-1] for n in DRAWN_AND_TAKEN}
        assert sizes == {"cub": 84, "omniglot_images": 9}
        config.parse([], ["images.transform = @Transform()", "Transform.size = 7", "Transform.mean = [0.5, 0.5, 0.5]"])
        with pytest.raises(UserError, match="Transform.mean and Transform.std go together"):
            images(tmp_path, "cub", "test", SAMPLING, 0)
        with pytest.raises(UserError, match="Transform.size = 'big' must be a whole number"):
            config.parse([], ["Transform.size = 'big'"])
    finally:
        gin.clear_config()


def test_the_sampling_of_meta_dataset_is_refused(tmp_path):
    write_own_data(tmp_path / "mine")
    with pytest.raises(UserError, match=r"takes its episodes from FixedWay, not Sampling; bind Experiment.sampling ="):
        images(tmp_path, "mine", "train", Sampling(), 0)


def test_a_negative_cache_is_refused(tmp_path):
    with pytest.raises(UserError, match="images.cache_megabytes = -1 must be at least 0"):
        images(tmp_path, "mine", "train", SAMPLING, 0, cache_megabytes=-1)
