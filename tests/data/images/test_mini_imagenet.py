import pytest

from alfa_md.data.images.mini_imagenet import TRANSFORM, open_split
from alfa_md.data.images.transform import IMAGENET, Transform
from alfa_md.errors import MissingSource, MissingSplit, UserError
from tests.data.images.layouts import (
    IMAGES,
    SPLIT_CLASSES,
    colour,
    write_mini_imagenet_csv,
    write_mini_imagenet_folders,
    write_split_folders,
)

PUBLISHED = {"train": 64, "val": 16, "test": 20}


def check(folder, layout):
    for split, names in SPLIT_CLASSES.items():
        images = open_split(folder, split)
        assert images.class_names == names and images.images_per_class == (IMAGES,) * len(names)
        assert images.stamp()["layout"] == layout
        assert [images.image(1, n).getpixel((0, 0)) for n in range(IMAGES)] == [
            colour(names[1], n) for n in range(IMAGES)
        ]


def test_the_transform_of_the_experiments():
    assert Transform(size=84, filter="bicubic", channels=3, **IMAGENET) == TRANSFORM


def test_class_folders_with_and_without_the_folder_of_the_archive(tmp_path):
    write_mini_imagenet_folders(tmp_path / "archive")
    write_split_folders(tmp_path / "plain", ("train", "val", "test"))
    check(tmp_path / "archive", "class folders")
    check(tmp_path / "plain", "class folders")


def test_csv_lists(tmp_path):
    write_mini_imagenet_csv(tmp_path)
    check(tmp_path, "images and csv lists")


def test_the_published_build_is_recognised_by_its_numbers(tmp_path):
    """600 empty files a class, whose names are all that is looked at."""
    for word, count in PUBLISHED.items():
        (tmp_path / word).mkdir()
        for number in range(count):
            folder = tmp_path / word / f"n{number:08d}"
            folder.mkdir()
            for image in range(600 if word == "val" else 1):
                (folder / f"{image}.jpg").touch()
    assert "Ravi" in open_split(tmp_path, "valid").stamp()["build"]
    assert open_split(tmp_path, "test").stamp()["build"] == "unrecognised: 20 test classes, 20 images"


def test_nothing_that_could_be_mini_imagenet(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(MissingSource, match=r"holds no miniImageNet; .*train.csv, .*mini-imagenet-cache-"):
        open_split(tmp_path, "train")


def test_a_csv_list_without_images_or_of_other_splits(tmp_path):
    write_mini_imagenet_csv(tmp_path)
    (tmp_path / "val.csv").unlink()
    with pytest.raises(MissingSplit, match="has csv lists, but none for the valid split; put valid.csv there"):
        open_split(tmp_path, "valid")
    (tmp_path / "images").rename(tmp_path / "pictures")
    with pytest.raises(MissingSource, match="images: no such folder; it should hold the images that train.csv lists"):
        open_split(tmp_path, "train")


@pytest.mark.parametrize(
    "content, message",
    [
        ("file,class\n", "the first line must be the header filename,label"),
        ("filename,label\nant0.png,ant\nant0.png,ant\n", "lists ant0.png twice"),
        ("filename,label\nant0.png,ant\nant0.png,bee\n", "lists ant0.png twice"),
        ("filename,label\nemu0.png,emu\n", "lists emu0.png, which is not in .*images; add it or remove the line"),
        ("filename,label\nant0.png\n", "line 2 must have filename and label"),
    ],
)
def test_a_wrong_csv_list(tmp_path, content, message):
    write_mini_imagenet_csv(tmp_path)
    (tmp_path / "train.csv").write_text(content)
    with pytest.raises(UserError, match=f"train.csv: {message}"):
        open_split(tmp_path, "train")


def test_an_empty_csv_list(tmp_path):
    write_mini_imagenet_csv(tmp_path)
    (tmp_path / "train.csv").write_text("filename,label\n")
    with pytest.raises(MissingSplit, match="train.csv: lists no image"):
        open_split(tmp_path, "train")
