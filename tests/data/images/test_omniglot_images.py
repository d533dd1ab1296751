import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images.omniglot_images import TRANSFORM, open_split, permuted_split
from alfa_md.data.images.reader import images
from alfa_md.data.images.transform import Transform
from alfa_md.errors import MissingSource, MissingSplit, UserError
from tests.data.images.layouts import SPLIT_CLASSES, write_class, write_json, write_omniglot, write_split_folders
from tests.omniglot_folders import PackedOmniglot
from tests.shared import shared_data


def test_two_archives_and_a_split_file(tmp_path):
    write_omniglot(tmp_path)
    for split, names in SPLIT_CLASSES.items():
        drawings = open_split(tmp_path, split)
        assert drawings.class_names == tuple(f"Greek/{name}" for name in names)
        assert drawings.stamp()["layout"] == "alphabets, a split file"
        assert drawings.image(0, 0).mode == "1"


def test_flat_and_split_folders(tmp_path):
    write_class(tmp_path / "flat" / "ant")
    write_json(tmp_path / "flat" / "splits.json", {"train": ["ant"]})
    assert open_split(tmp_path / "flat", "train").stamp()["layout"] == "character folders, a split file"
    write_split_folders(tmp_path / "split")
    assert open_split(tmp_path / "split", "test").class_names == SPLIT_CLASSES["test"]


def test_the_permutation_is_fixed_and_needs_every_character(tmp_path):
    names = [f"c{number:04d}" for number in range(1623)]
    splits = permuted_split(names, tmp_path)
    assert {split: len(chosen) for split, chosen in splits.items()} == {"train": 1100, "valid": 100, "test": 423}
    assert sorted(name for chosen in splits.values() for name in chosen) == names
    order = np.random.RandomState(0).permutation(1623)
    assert splits["valid"] == tuple(sorted(f"c{number:04d}" for number in order[1100:1200]))
    with pytest.raises(UserError, match="has 1622 characters, not 1623, and no split file; unpack both archives"):
        permuted_split(names[1:], tmp_path)


def test_all_characters_are_recognised(tmp_path):
    """Empty files, whose names are all that is looked at; twenty of them for the validation characters."""
    names = [f"Alphabet/character{number:04d}" for number in range(1623)]
    full = set(permuted_split(names, tmp_path)["valid"])
    for name in names:
        folder = tmp_path / "images_background" / name
        folder.mkdir(parents=True)
        for drawing in range(20 if name in full else 1):
            (folder / f"{drawing}.png").touch()
    stamp = open_split(tmp_path, "valid").stamp()
    assert stamp["build"] == "Omniglot, 1623 characters split 1100/100/423, 32 460 images"
    assert stamp["layout"] == "alphabets, the split by permutation"
    assert open_split(tmp_path, "test").stamp()["build"] == "unrecognised: 423 test classes, 423 images"


def test_what_is_missing(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(MissingSource, match="holds no character; it should hold images_background/"):
        open_split(tmp_path, "train")
    write_class(tmp_path / "images_background" / "Greek" / "ant")
    write_json(tmp_path / "splits.json", {"train": ["Greek/emu"]})
    with pytest.raises(UserError, match="splits.json: lists class 'Greek/emu', but the data set has none"):
        open_split(tmp_path, "train")
    with pytest.raises(MissingSplit, match="splits.json: lists no class of the test split"):
        open_split(tmp_path, "test")


@pytest.fixture
def real(tmp_path):
    """Twelve real characters, as the archives have them; (root, the arrays, character numbers by class name)."""
    omniglot = PackedOmniglot(shared_data("omniglot.npz"))
    chosen = [0, 1, 2, 3, 500, 501, 1000, 1001, 1002, 1500, 1501, 1622]
    folder, numbers = tmp_path / "omniglot_images", {}
    for character in chosen:
        place = omniglot.folder(character)
        numbers[f"{place.parent.name}/{place.name}"] = character
        (folder / place).mkdir(parents=True)
        for drawer, strokes in enumerate(omniglot.ink(character)):
            Image.fromarray(strokes == 0).save(folder / place / f"{drawer:02d}.png")
    names = list(numbers)
    write_json(folder / "splits.json", {"train": names[:6], "valid": names[6:9], "test": names[9:]})
    return tmp_path, omniglot, numbers


def test_real_drawings_are_read_back_and_resized_to_28_pixels(real):
    root, omniglot, numbers = real
    drawings = open_split(root / "omniglot_images", "train")
    name = drawings.class_names[2]
    assert np.array_equal(np.asarray(drawings.image(2, 7)), omniglot.ink(numbers[name])[7] == 0)
    bright = Transform(size=28, filter="lanczos", invert=True)
    dark = images(root, "omniglot_images", "test", FixedWay(3, 1, 5), seed=0)
    inked = images(root, "omniglot_images", "test", FixedWay(3, 1, 5), seed=0, transform=bright)
    assert dark.episode(0).query_x.shape == (15, 3, 28, 28)
    assert dark.episode(0).query_x.mean() > 0.8 > 0.2 > inked.episode(0).query_x.mean()
    torch.testing.assert_close(dark.episode(0).query_x, 1 - inked.episode(0).query_x)
    assert dark.stamp()["transform"] == TRANSFORM.stamp()


def test_real_drawings_are_rotated_in_training_only(real):
    root, _, _ = real
    upright = Transform(size=105, filter="nearest", channels=1)
    for split in ("train", "valid", "test"):
        source = images(root, "omniglot_images", split, FixedWay(3, 1, 2), seed=0, transform=upright)
        drawings = open_split(root / "omniglot_images", split)
        for index in range(3):
            episode = source.episode(index)
            for label, chosen in enumerate(source.draw(index)):
                stored = upright(drawings.image(chosen.class_id, int(chosen.support[0])))
                turns = chosen.quarter_turns if split == "train" else 0
                assert torch.equal(episode.support_x[label], torch.rot90(stored, turns, (1, 2)))
                query = upright(drawings.image(chosen.class_id, int(chosen.query[1])))
                assert torch.equal(episode.query_x[2 * label + 1], torch.rot90(query, turns, (1, 2)))
        assert source.stamp()["rotates"] == (split == "train")
    assert {c.quarter_turns for index in range(9) for c in source.draw(index)} == {0, 1, 2, 3}
