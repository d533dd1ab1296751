import pytest

from alfa_md.data.images.cub import open_split
from alfa_md.errors import MissingSource, UserError
from tests.data.images.layouts import SPLIT_CLASSES, write_class_folders, write_cub, write_json, write_split_folders


def write_all_species(folder, images_of=lambda number: 1):
    """200 class folders of empty files, whose names are all that is looked at."""
    for number in range(1, 201):
        species = folder / "images" / f"{number:03d}.Bird"
        species.mkdir(parents=True)
        for image in range(images_of(number)):
            (species / f"{image}.jpg").touch()


def published_counts(number: int) -> int:
    """Images so that the splits of Chen et al. have 5885, 2950 and 2953 of them, if not species by species."""
    return {1: 143, 4: 62}.get(number, 58 if number % 2 else 59)


def test_archive_and_split_file(tmp_path):
    write_cub(tmp_path)
    for split, names in SPLIT_CLASSES.items():
        images = open_split(tmp_path, split)
        assert images.class_names == names
        assert images.stamp() == {
            "layout": "images and a split file",
            "build": f"unrecognised: {len(names)} {split} classes, {4 * len(names)} images",
        }


def test_split_folders(tmp_path):
    write_split_folders(tmp_path, ("train", "val", "test"))
    assert open_split(tmp_path, "valid").stamp()["layout"] == "split folders"


def test_without_a_split_file_the_two_hundred_species_are_split_as_chen_et_al(tmp_path):
    write_all_species(tmp_path, published_counts)
    numbers = {}
    for split in ("train", "valid", "test"):
        images = open_split(tmp_path, split)
        numbers[split] = [int(name[:3]) for name in images.class_names]
        assert images.stamp()["build"] == "CUB-200-2011, split of Chen et al. (100/50/50 classes), 11 788 images"
    assert numbers["train"] == list(range(1, 201, 2))
    assert numbers["valid"] == list(range(2, 201, 4)) and numbers["test"] == list(range(4, 201, 4))


def test_other_splits_are_recognised(tmp_path):
    write_all_species(tmp_path)
    names = sorted(path.name for path in (tmp_path / "images").iterdir())
    write_json(tmp_path / "splits.json", {"train": names[:100], "valid": names[100:150], "test": names[150:]})
    build = open_split(tmp_path, "test").stamp()["build"]
    assert build == "CUB-200-2011, another split of 100/50/50 classes: 50 test images"
    write_json(tmp_path / "splits.json", {"train": names[:140], "valid": names[140:170], "test": names[170:]})
    for split in ("train", "valid", "test"):
        assert "learn2learn's split of 140/30/30 classes" in open_split(tmp_path, split).stamp()["build"]


def test_fewer_species_need_a_split_file(tmp_path):
    write_class_folders(tmp_path / "images")
    with pytest.raises(UserError, match="has 7 classes, not 200, and no split file is in .*; write splits.json"):
        open_split(tmp_path, "train")


def test_no_images(tmp_path):
    (tmp_path / "README").touch()
    with pytest.raises(MissingSource, match="images: no such folder; unpack CUB_200_2011.tgz into"):
        open_split(tmp_path, "train")
