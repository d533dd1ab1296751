"""Unreadable originals: named before they become records, or left out and listed."""

import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image, ImageFilter

from alfa_md.data.convert import planner
from alfa_md.data.convert_common.image_policy import ImagePolicy
from alfa_md.data.convert_common.plan import Copied, Skipped
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.records import scan_offsets
from alfa_md.errors import UserError
from tests.data.convert.originals import cu_birds, folder
from tests.entries.harness import run_entry

SOURCE = ("--source_dir=own", "--records_root_dir=records", "--workers=1")


@pytest.fixture
def own(tmp_path):
    """Six classes of three images; one JPEG is cut off in the middle."""
    folder.write(tmp_path / "own")
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    file = tmp_path / "own" / "bee" / "0.jpg"
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).save(file, quality=90)
    file.write_bytes(file.read_bytes()[:1500])
    return tmp_path


def convert(folder, *arguments):
    return run_entry("convert", "folder", *SOURCE, *arguments, cwd=folder)


def test_a_jpeg_cut_off_is_named_by_its_original_file(own):
    line = convert(own).error
    assert (
        line
        == "own/bee/0.jpg: is not a readable image; replace it or remove it, or leave it out with --skip_unreadable"
    )
    assert not (own / "records" / "own" / "dataset_spec.json").exists()


def test_unreadable_images_are_left_out_and_listed(own):
    outcome = convert(own, "--skip_unreadable")
    assert outcome.code == 0, outcome.err
    assert "1 images left out, for the reasons in skipped.json: own/bee/0.jpg" in outcome.out
    spec = load_spec(own / "records" / "own")
    bee = spec.class_names.index("bee")
    assert spec.images_per_class[bee] == 2 and sum(spec.images_per_class) == 17
    assert len(scan_offsets(spec.class_file(bee))) - 1 == 2
    assert run_entry("check", "--records_root_dir=records", "--sources=own", "--full", cwd=own).code == 0


def test_without_verification_copies_are_not_decoded_and_the_check_finds_them(own):
    assert convert(own, "--noverify").code == 0
    outcome = run_entry("check", "--records_root_dir=records", "--sources=own", "--full", cwd=own)
    assert outcome.code == 1 and "the image is not a whole still picture" in outcome.out


def test_what_was_not_decoded_is_decoded_by_a_later_run(own):
    line = "copied JPEG files of 6 classes were not decoded; the same command without --noverify decodes them"
    assert line in convert(own, "--noverify").out
    directory = own / "records" / "own"
    assert convert(own).error.startswith("own/bee/0.jpg: is not a readable image")
    assert (directory / "dataset_spec.json").exists() and (directory / "unverified.json").exists()
    assert "1 images left out" in convert(own, "--skip_unreadable").out
    assert sum(load_spec(directory).images_per_class) == 17 and not (directory / "unverified.json").exists()


def test_a_left_out_image_is_tried_again_without_the_flag(own):
    assert convert(own, "--skip_unreadable").code == 0
    assert convert(own).error.startswith("own/bee/0.jpg: is not a readable image")
    shutil.copy(own / "own" / "ant" / "0.jpg", own / "own" / "bee" / "0.jpg")
    outcome = convert(own)
    assert outcome.code == 0 and "left out" not in outcome.out
    assert sum(load_spec(own / "records" / "own").images_per_class) == 18
    names = {file.name for file in (own / "records" / "own").iterdir()}
    assert names == {"dataset_spec.json", *(f"{n}.tfrecords" for n in range(6))}


def test_a_class_without_a_readable_image_is_an_error(own):
    shutil.rmtree(own / "own" / "ant")
    (own / "own" / "ant").mkdir()
    (own / "own" / "ant" / "1.png").write_bytes(b"no image")
    line = convert(own, "--skip_unreadable").error
    assert line.startswith("ant: none of its 1 images can be read (own/ant/1.png: is not a readable image")


@pytest.mark.parametrize("quality", [30, 95])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("library", ["simplejpeg", "pillow"])
def test_a_whole_jpeg_is_copied_and_no_part_of_it_is(tmp_path, monkeypatch, quality, progressive, library):
    if library == "pillow":
        monkeypatch.setitem(sys.modules, "simplejpeg", None)
    noise = np.random.default_rng(1).integers(0, 255, (40, 50, 3), np.uint8)
    file = tmp_path / "1.jpg"
    Image.fromarray(noise).save(file, quality=quality, progressive=progressive)
    content = file.read_bytes()
    assert ImagePolicy()(Copied(file, content)) == content
    for end in range(0, len(content) - 2, 97):
        with pytest.raises(UserError, match=r"1\.jpg: is not a readable image"):
            ImagePolicy()(Copied(file, content[:end]))
        assert ImagePolicy(verify=False)(Copied(file, content[:end])) == content[:end]


def test_every_converter_of_files_can_skip(tmp_path):
    source = cu_birds.write(tmp_path / "cub")
    next(source.glob("images/001*/*.jpg")).write_bytes(b"no image")
    policy = ImagePolicy(skip_unreadable=True)
    plan = planner("cu_birds")(source)
    kinds = [type(policy(image)) for image in plan.images(plan.spec.class_names.index("001.Bird_1"))]
    assert kinds.count(Skipped) == 1 and set(kinds) == {Skipped, bytes}


@pytest.mark.parametrize(
    "content", ['{"one": []}', '{"1": [["a"]]}', '{"1": [["a", 2]]}', "[]", '{"0": ["ab"]}', '{"0x1": []}', "[" * 10**5]
)
def test_a_damaged_list_of_skipped_images_is_one_line(own, content):
    convert(own, "--skip_unreadable")
    for name in ("skipped.json",):
        assert json.loads((own / "records" / "own" / name).read_text())
        (own / "records" / "own" / name).write_text(content)
    assert "skipped.json: is " in convert(own, "--skip_unreadable").error


@pytest.mark.parametrize(
    ("name", "content"),
    [("skipped.json", '{"99": [["a", "b"]]}'), ("skipped.json", '{"-1": [["a", "b"]]}'), ("unverified.json", "[99]")],
)
def test_a_list_of_classes_that_the_source_lacks_is_one_line(own, name, content):
    convert(own, "--skip_unreadable")
    (own / "records" / "own" / name).write_text(content)
    assert f"{name}: has class " in convert(own, "--skip_unreadable").error


def test_a_damaged_list_of_classes_not_decoded_is_one_line(own):
    convert(own, "--noverify")
    (own / "records" / "own" / "unverified.json").write_text('["bee"]')
    assert "unverified.json: is not the list of class ids that a conversion writes" in convert(own).error
