"""Published archive layouts: pixels are read back exactly, and damage is reported in one line."""

import os
import pickle
from importlib import import_module

import numpy as np
import pytest

from alfa_md.data.images import cifar_fs, fc100, mini_imagenet_cache, tiered_imagenet
from alfa_md.errors import MissingSource, MissingSplit, UserError
from tests.data.images.archives import (
    LAYOUTS,
    Layout,
    class_folders,
    encoded,
    labelled_pixels,
    mini_cache,
    opencv_array,
    pictures,
    tiered_pickles,
    write_pickle,
)


def module(layout: Layout):
    return import_module(f"alfa_md.data.images.{layout.name}")


def folder_of(layout: Layout, root):
    folder = root / layout.name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_pixels_are_read_back(layout, tmp_path):
    folder = folder_of(layout, tmp_path)
    for split, classes in layout.write(folder).items():
        images = module(layout).open_split(folder, split)
        assert images.class_names == tuple(sorted(classes))
        assert images.images_per_class == tuple(len(classes[name]) for name in images.class_names)
        for class_id, name in enumerate(images.class_names):
            for number, pixels in enumerate(classes[name]):
                image = images.image(class_id, number)
                assert image.mode == "RGB" and np.array_equal(image, pixels)
        assert images.stamp()["build"].startswith(f"unrecognised: {len(classes)} {split} classes")


def test_jpeg_items_are_decoded(tmp_path):
    grey = np.full((20, 20), 90, np.uint8)
    write_pickle(tmp_path / "test_images_png.pkl", [encoded(grey, "JPEG")])
    write_pickle(tmp_path / "test_labels.pkl", {b"label_specific": np.array([0])})
    image = tiered_imagenet.open_split(tmp_path, "test").image(0, 0)
    assert image.mode == "L" and np.array_equal(image, grey)


def test_builds_are_recognised(tmp_path):
    pixels, labels = np.zeros((12_000, 1, 1, 3), np.uint8), np.repeat(np.arange(20), 600)
    write_pickle(tmp_path / "FC100_test.pickle", {"data": pixels, "labels": labels})
    write_pickle(tmp_path / "CIFAR_FS_test.pickle", {"data": pixels, "labels": labels})
    members = {str(label): np.flatnonzero(labels == label) for label in range(20)}
    write_pickle(tmp_path / "mini-imagenet-cache-test.pkl", {"image_data": pixels, "class_dict": members})
    for data in (fc100, cifar_fs, mini_imagenet_cache):
        assert data.open_split(tmp_path, "test").stamp()["build"] in data.BUILDS


def test_counts_of_tiered_imagenet():
    classes, images = zip(*next(iter(tiered_imagenet.BUILDS.values())).values(), strict=True)
    assert (sum(classes), sum(images)) == (608, 779_165)


def test_the_splits_of_cifar100_are_whole():
    assert (len(set(cifar_fs.VALID)), len(set(cifar_fs.TEST))) == (16, 20)
    assert not set(cifar_fs.VALID) & set(cifar_fs.TEST)
    assert [len(fc100.SUPERCLASSES[split]) for split in ("train", "valid", "test")] == [12, 4, 4]
    assert sorted(sum(fc100.SUPERCLASSES.values(), ())) == list(range(20))


@pytest.mark.parametrize("name", ["tiered_imagenet", "cifar_fs", "fc100"])
def test_an_absent_source_says_what_and_where(name, tmp_path):
    data = import_module(f"alfa_md.data.images.{name}")
    folder = tmp_path / name
    for _ in ("no folder", "an empty folder"):
        with pytest.raises(MissingSource, match=rf"{name}: .* should hold .*/<class>/<image>"):
            data.open_split(folder, "train")
        folder.mkdir(exist_ok=True)


@pytest.mark.parametrize("name", ["mini cache", "tiered", "tiered folders", "CIFAR-FS pickles", "FC100 pickles"])
def test_a_split_that_was_not_downloaded(name, tmp_path):
    layout = LAYOUTS[name]
    folder = folder_of(layout, tmp_path)
    layout.write(folder)
    for path in folder.glob("*test*"):
        path.rename(tmp_path / path.name)
    with pytest.raises(MissingSplit, match="test"):
        module(layout).open_split(folder, "test")


def test_a_folder_without_caches(tmp_path):
    with pytest.raises(MissingSource, match="mini-imagenet-cache-{train,val,test}.pkl"):
        mini_imagenet_cache.open_split(tmp_path, "train")


BAD_CACHES = {
    "holds no dictionary but an object of type list": [1],
    "field 'image_data' is missing": {"class_dict": {"a": [0]}},
    "field 'class_dict' is missing": {"image_data": np.zeros((1, 8, 8, 3), np.uint8)},
    r"field 'image_data' must be \[N, height, width, 3\] uint8, not \[1, 3, 8, 8\] uint8": {
        "image_data": np.zeros((1, 3, 8, 8), np.uint8),
        "class_dict": {"a": [0]},
    },
    "uint8, not .* float64": {"image_data": np.zeros((1, 8, 8, 3)), "class_dict": {"a": [0]}},
    "a list of image indices for class 'a'": {
        "image_data": np.zeros((1, 8, 8, 3), np.uint8),
        "class_dict": {"a": ["0"]},
    },
    "class 'a' has images beyond the 1": {"image_data": np.zeros((1, 8, 8, 3), np.uint8), "class_dict": {"a": [1]}},
    "holds no class": {"image_data": np.zeros((1, 8, 8, 3), np.uint8), "class_dict": {}},
}


@pytest.mark.parametrize("complaint", BAD_CACHES)
def test_a_wrong_cache_is_one_line(complaint, tmp_path):
    write_pickle(tmp_path / "mini-imagenet-cache-train.pkl", BAD_CACHES[complaint])
    with pytest.raises(UserError, match=rf"mini-imagenet-cache-train\.pkl: .*{complaint}"):
        mini_imagenet_cache.open_split(tmp_path, "train")


@pytest.mark.parametrize(
    "labels", [[0, 1], [0, 0, 0, 0], [0, -1, 0], [0.5, 1, 2], ["a", "b", "c"], [[0], [1, 2]], 3, None]
)
def test_wrong_labels_are_one_line(labels, tmp_path):
    write_pickle(tmp_path / "FC100_test.pickle", {"data": np.zeros((3, 4, 4, 3), np.uint8), "labels": labels})
    with pytest.raises(UserError, match=r"FC100_test\.pickle: field 'labels' must"):
        fc100.open_split(tmp_path, "test")


def test_a_malicious_archive_is_refused_without_executing_it(tmp_path):
    proof = tmp_path / "proof"

    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {proof}",)

    (tmp_path / "FC100_test.pickle").write_bytes(pickle.dumps({"data": Hostile(), "labels": [0]}))
    with pytest.raises(UserError, match=r"FC100_test\.pickle: asks for posix\.system"):
        fc100.open_split(tmp_path, "test")
    assert not proof.exists()


def test_a_truncated_archive_is_one_line(tmp_path):
    labelled_pixels(tmp_path, "FC100")
    path = tmp_path / "FC100_test.pickle"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"FC100_test\.pickle: is not a whole pickle"):
        fc100.open_split(tmp_path, "test")


def test_a_broken_image_is_named(tmp_path):
    item = [opencv_array(pictures("a", 0)["a"][0])[:60], b"no image", 3, np.zeros(4)]
    write_pickle(tmp_path / "test_images_png.pkl", item)
    write_pickle(tmp_path / "test_labels.pkl", {"label_specific": [0] * 4, "label_specific_str": ["dingo"]})
    images = tiered_imagenet.open_split(tmp_path, "test")
    for number in range(4):
        with pytest.raises(UserError, match=rf"_png\.pkl: image {number} of class 'dingo': is (not|neither)"):
            images.image(0, number)


def test_images_and_labels_belong_together(tmp_path):
    tiered_pickles(tmp_path, opencv_array, named=True, python2=False)
    write_pickle(tmp_path / "test_labels.pkl", {"label_specific": [0]})
    with pytest.raises(UserError, match=r"test_images_png\.pkl: is no list of 1 images"):
        tiered_imagenet.open_split(tmp_path, "test")
    (tmp_path / "test_labels.pkl").unlink()
    with pytest.raises(MissingSource, match=r"test_labels\.pkl: is missing"):
        tiered_imagenet.open_split(tmp_path, "test")


def test_equal_names_become_numbers(tmp_path):
    write_pickle(tmp_path / "test_images_png.pkl", [b"", b""])
    write_pickle(tmp_path / "test_labels.pkl", {"label_specific": [0, 1], "label_specific_str": ["crane", "crane"]})
    assert tiered_imagenet.open_split(tmp_path, "test").class_names == ("0000", "0001")


def test_an_incomplete_archive_of_cifar100_is_one_line(tmp_path):
    layout = LAYOUTS["CIFAR-FS archive"]
    folder = folder_of(layout, tmp_path)
    layout.write(folder)
    assert cifar_fs.open_split(folder, "test").stamp()["checksums"] == "unrecognised"
    (folder / "cifar-100-python" / "meta").unlink()
    with pytest.raises(UserError, match=r"meta: is missing; unpack cifar-100-python\.tar\.gz again"):
        cifar_fs.open_split(folder, "test")


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"])
def test_a_damaged_packed_archive_is_one_line(content, tmp_path):
    (tmp_path / "cifar-100-python.tar.gz").write_bytes(content)
    with pytest.raises(UserError, match=r"cifar-100-python\.tar\.gz: .* cannot be read .* download"):
        cifar_fs.open_split(tmp_path, "test")


def test_folders_without_lists_must_be_cifar100(tmp_path):
    data = tmp_path / "cifar100" / "data"
    class_folders(data, pictures([*cifar_fs.VALID, *cifar_fs.TEST, "apple"], 0, count=1))
    names = {split: cifar_fs.open_split(tmp_path, split).class_names for split in ("train", "valid", "test")}
    assert names == {"train": ("apple",), "valid": tuple(sorted(cifar_fs.VALID)), "test": tuple(sorted(cifar_fs.TEST))}
    (data / "beaver").rename(data / "unicorn")
    with pytest.raises(UserError, match="other classes than CIFAR-100, and the lists .* are missing"):
        cifar_fs.open_split(tmp_path, "train")


def test_the_cache_is_called_val_or_validation(tmp_path):
    expected = mini_cache(tmp_path, valid="validation")["valid"]
    assert mini_imagenet_cache.open_split(tmp_path, "valid").class_names == tuple(sorted(expected))
