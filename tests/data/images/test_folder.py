"""Own image folders: layouts, split files, and their errors."""

import json
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from alfa_md.data.images.folder import open_split
from alfa_md.errors import MissingSource, MissingSplit, UserError
from tests.data.images.layouts import (
    IMAGES,
    SPLIT_CLASSES,
    colour,
    picture,
    write_class,
    write_class_folders,
    write_json,
    write_own_data,
    write_split_folders,
)


def check(folder, layout):
    """Every split has its classes, and every image is the one that was written."""
    for split, names in SPLIT_CLASSES.items():
        images = open_split(folder, split)
        assert images.class_names == names and images.images_per_class == (IMAGES,) * len(names)
        assert images.stamp()["layout"] == layout
        for class_id, name in enumerate(names):
            for number in range(IMAGES):
                assert images.image(class_id, number).getpixel((0, 0)) == colour(name, number)


@pytest.mark.parametrize("valid", ["valid", "val", "validation"])
def test_split_folders(tmp_path, valid):
    write_split_folders(tmp_path, ("train", valid, "test"))
    (tmp_path / "train" / ".hidden").mkdir()
    (tmp_path / "train" / "ant" / "notes.txt").write_text("no image")
    (tmp_path / "train" / "ant" / ".0.png").write_text("what some archivers add")
    check(tmp_path, "split folders")


def test_a_split_file_as_json(tmp_path):
    write_own_data(tmp_path)
    check(tmp_path, "class folders and a split file")
    lists = {"val" if split == "valid" else split: list(names) for split, names in SPLIT_CLASSES.items()}
    write_json(tmp_path / "splits.json", lists)
    check(tmp_path, "class folders and a split file")


def test_a_split_file_as_csv(tmp_path):
    write_class_folders(tmp_path)
    lines = [f"{name},{split}" for split, names in SPLIT_CLASSES.items() for name in names]
    (tmp_path / "splits.csv").write_text("\ufeffclass,split\r\n" + "\r\n".join(lines), "utf-8")
    check(tmp_path, "class folders and a split file")


def test_three_text_files(tmp_path):
    write_class_folders(tmp_path)
    for word, names in zip(("train", "val", "test"), SPLIT_CLASSES.values(), strict=True):
        (tmp_path / f"{word}.txt").write_text("\n".join(reversed(names)) + "\n\n")
    check(tmp_path, "class folders and a split file")


def test_a_class_named_in_another_unicode_form_is_found(tmp_path):
    composed, decomposed = (normalize(form, "espècie") for form in ("NFC", "NFD"))
    write_class(tmp_path / decomposed)
    (tmp_path / "splits.json").write_text(json.dumps({"train": [composed]}))
    assert open_split(tmp_path, "train").class_names == (composed,)


def test_images_in_folders_of_a_class_that_has_images_are_taken(tmp_path):
    write_class(tmp_path / "train" / "ant")
    write_class(tmp_path / "train" / "ant" / "2019")
    write_class(tmp_path / "train" / "bee" / "queens")
    with pytest.raises(UserError, match="bee: this class has images only in folders within it"):
        open_split(tmp_path, "train")
    nested = tmp_path / "train" / "bee" / "queens"
    for file in list(nested.iterdir()):
        file.rename(nested.parent / file.name)
    assert open_split(tmp_path, "train").images_per_class == (2 * IMAGES, IMAGES)


def test_a_class_may_be_nested_and_one_may_be_left_out(tmp_path):
    write_class(tmp_path / "Greek" / "alpha")
    write_class(tmp_path / "unused")
    write_json(tmp_path / "splits.json", {"train": ["Greek/alpha"]})
    assert open_split(tmp_path, "train").class_names == ("Greek/alpha",)
    with pytest.raises(MissingSplit, match="splits.json: lists no class of the valid split"):
        open_split(tmp_path, "valid")


def test_without_a_split_file_the_line_says_what_to_write(tmp_path):
    write_class_folders(tmp_path)
    with pytest.raises(UserError, match=r'nothing says which classes .*; write splits.json into it: \{"train": \['):
        open_split(tmp_path, "train")


def test_nothing_there(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(MissingSource, match=f"^{folder}: .* it should hold <split>/<class>/<image>"):
            open_split(folder, "train")
    (tmp_path / "loose.png").touch()
    with pytest.raises(MissingSource, match="holds no class folder"):
        open_split(tmp_path, "train")


def test_a_split_that_is_not_there(tmp_path):
    write_class(tmp_path / "test" / "ant")
    with pytest.raises(MissingSplit, match="has no train split, only test; put its classes in train/"):
        open_split(tmp_path, "train")
    (tmp_path / "train").mkdir()
    picture("ant", 0).save(tmp_path / "train" / "0.png")
    with pytest.raises(MissingSplit, match="train: holds no class folder; images of the train split are .*/<class>/"):
        open_split(tmp_path, "train")


def test_an_empty_class(tmp_path):
    write_split_folders(tmp_path)
    (tmp_path / "train" / "void").mkdir()
    with pytest.raises(UserError, match="train/void: this class has no image .*; add some or remove the folder"):
        open_split(tmp_path, "train")
    assert open_split(tmp_path, "valid").class_names


def test_grey_and_coloured_images_together(tmp_path):
    write_split_folders(tmp_path)
    picture("bee", 2, "L").save(tmp_path / "train" / "bee" / "2.png")
    with pytest.raises(UserError, match=r"bee/2.png is grey, but .*ant/0.png is coloured \(1 of 12 images"):
        open_split(tmp_path, "train")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", None])
def test_a_corrupt_image_is_named(tmp_path, content):
    """A file that is none by its header is refused on opening, one that breaks off when it is read."""
    write_split_folders(tmp_path)
    file = tmp_path / "train" / "bee" / "2.png"
    if content is None:
        Image.effect_noise((50, 50), 50).convert("RGB").save(file)
        file.write_bytes(file.read_bytes()[:-200])
        images = open_split(tmp_path, "train")
        with pytest.raises(UserError, match="bee/2.png: is not a readable image; replace it or remove it"):
            images.image(1, 2)
    else:
        file.write_bytes(content)
        with pytest.raises(UserError, match="bee/2.png: is not a readable image; replace it or remove it"):
            open_split(tmp_path, "train")


def test_floats_are_refused(tmp_path):
    write_split_folders(tmp_path)
    Image.new("F", (4, 4), 0.5).save(tmp_path / "train" / "bee" / "2.tif")
    with pytest.raises(UserError, match="bee/2.tif: has pixels of mode F; save it with 8 bits a value"):
        open_split(tmp_path, "train")


def test_sixteen_bits_are_grey(tmp_path):
    write_class(tmp_path / "train" / "ant", mode="L")
    Image.new("I;16", (4, 4), 0x9CFF).save(tmp_path / "train" / "ant" / "9.png")
    assert np.asarray(open_split(tmp_path, "train").image(0, IMAGES)).tolist() == [[0x9C] * 4] * 4


@pytest.mark.parametrize("mode, read_as", [("P", "RGB"), ("RGBA", "RGB"), ("LA", "L"), ("L", "L"), ("1", "1")])
def test_every_usual_mode_is_read(tmp_path, mode, read_as):
    write_class(tmp_path / "train" / "ant", mode=mode)
    image = open_split(tmp_path, "train").image(0, 1)
    assert image.mode == read_as
    assert image.convert("RGB").getpixel((0, 0)) == picture("ant", 1, mode).convert("RGB").getpixel((0, 0))


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "is not valid JSON"),
        ("[]", "must be an object of lists of class names; to start again, write splits.json into it"),
        ('{"train": "ant"}', "must be an object of lists"),
        ('{"train": [1]}', "must be an object of lists"),
        ('{"dev": ["ant"]}', "unknown split 'dev'; the splits are train, valid and test"),
        ('{"train": ["ant"], "test": ["ant"]}', "class 'ant' is listed in train and in test; keep one"),
        ('{"train": ["ant", "emu"]}', "lists class 'emu', but there is no folder .*emu; correct either"),
        ('{"train": ["../elsewhere"]}', "lists '../elsewhere', which leads out of"),
        ("\xff", "cannot be read as UTF-8 text"),
    ],
)
def test_a_wrong_split_file(tmp_path, content, message):
    write_class(tmp_path / "elsewhere")
    write_class_folders(tmp_path / "data")
    (tmp_path / "data" / "splits.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=f"splits.json: {message}"):
        open_split(tmp_path / "data", "train")


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "the first line must be the header class,split"),
        ("name,split\nant,train\n", "the first line must be the header class,split"),
        ("class,split\nant\n", "line 2 must have class and split"),
        ("class,split\nant,train\nbee,trian\n", "unknown split 'trian'"),
    ],
)
def test_a_wrong_csv_file(tmp_path, content, message):
    write_class_folders(tmp_path)
    (tmp_path / "splits.csv").write_text(content)
    with pytest.raises(UserError, match=f"splits.csv: {message}"):
        open_split(tmp_path, "train")


def test_the_build_of_own_data_is_its_numbers(tmp_path):
    write_own_data(tmp_path)
    assert open_split(tmp_path, "train").stamp()["build"] == "unrecognised: 3 train classes, 12 images"
    assert json.dumps(open_split(tmp_path, "test").stamp())
