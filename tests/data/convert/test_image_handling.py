"""Selection, order and processing of the images of each source, on synthetic originals."""

import io
import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alfa_md.data.convert import mscoco, planner, quickdraw
from alfa_md.data.convert_common.image_policy import ImagePolicy
from alfa_md.data.convert_common.plan import Plan, Skipped
from alfa_md.data.convert_common.write import write_source
from alfa_md.errors import UserError
from tests.tiny_pictures import save


@pytest.fixture
def original(tmp_path):
    def write(source: str) -> Path:
        return import_module(f"tests.data.convert.originals.{source}").write(tmp_path / source)

    return write


def images(plan: Plan, name: str) -> list[bytes | Skipped]:
    return list(map(ImagePolicy(), plan.images(plan.spec.class_names.index(name))))


def decoded(image: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image)))


def test_coloured_jpeg_files_are_kept_byte_by_byte_and_others_encoded(original):
    folder = original("cu_birds")
    own = folder / "images" / "002.Bird_2"
    Image.new("L", (8, 6), 77).save(own / "grey.jpg")
    kept = images(planner("cu_birds")(folder), "002.Bird_2")
    files = sorted(own.iterdir())
    assert kept[:3] == [file.read_bytes() for file in files[:3]] and files[3].name == "grey.jpg"
    assert kept[3] != files[3].read_bytes() and decoded(kept[3]).shape == (6, 8, 3)


def test_stray_files_are_ignored(original):
    plan = planner("dtd")(original("dtd"))
    assert set(plan.spec.images_per_class) == {2} and len(images(plan, "texture45")) == 2


def test_aircraft_are_cropped_and_both_lists_merged_by_name(original):
    folder = original("aircraft")
    plan = planner("aircraft")(folder)
    assert set(plan.spec.images_per_class) == {2}
    class_id = plan.spec.class_names.index("Type 3/A-003")
    files = [file.name for file, _ in plan.images.images[class_id]]
    assert files == sorted(files) and len(files) == 2
    assert [decoded(image).shape for image in plan.images(class_id)] == [(4, 6, 3)] * 2


def test_fungi_are_in_the_order_of_the_lists(original):
    folder = original("fungi")
    kept = images(planner("fungi")(folder), "0000.Fungus 0")
    assert kept == [(folder / f"images/0_Fungus 0/{name}.JPG").read_bytes() for name in ("train", "val")]


def test_flowers_follow_their_labels(original):
    folder = original("vgg_flower")
    kept = images(planner("vgg_flower")(folder), "002.hard-leaved pocket orchid")
    assert kept == [(folder / "jpg" / f"image_{number:05d}.jpg").read_bytes() for number in (2, 104)]


def test_videos_of_signs_are_shuffled_with_the_seed_of_meta_dataset(original):
    plan = planner("traffic_sign")(original("traffic_sign"))
    frames = np.arange(6)
    np.random.RandomState(23).shuffle(frames)
    for class_id in (0, 42):
        assert [file.stem[-5:] for file in plan.images.files[class_id]] == [f"{frame:05d}" for frame in frames]


def test_drawings_are_light_on_dark_in_the_order_of_the_array(original):
    plan = planner("quickdraw")(original("quickdraw"))
    for name, number in (("drawing 000", 0), ("drawing 007", 7)):
        for drawing, image in enumerate(images(plan, name)):
            levels = decoded(image)
            assert levels.shape == (28, 28, 3) and levels[0, 0].min() > 200
            white = quickdraw.bitmap_image((np.arange(784) <= number + drawing).astype(np.uint8) * 255)
            assert np.abs(levels.astype(int) - np.asarray(white)).mean() < 4


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10.0, 10.0, 20.0, 10.0), (8, 8, 33, 21)),  # 24 x 12 from (8, 9): 7.5, 8.5, 31.5 and 20.5 go to even numbers
        ((0.0, 0.0, 50.0, 50.0), (0, 0, 55, 40)),  # cut at the picture
        ((0.0, 0.0, 0.0, 0.0), (0, 0, 1, 1)),
        ((5.0, 5.0, 30.0, 20.0), (2, 3, 39, 27)),  # 36 x 24 from just above (2, 3): no tie, in the official arithmetic
    ],
)
def test_boxes_are_enlarged_rounded_to_even_and_cut(box, expected):
    assert mscoco.enlarged_corners(box, (60, 40)) == expected


def test_an_object_outside_of_its_image_is_skipped_and_listed(original, tmp_path):
    plan = planner("mscoco")(original("mscoco"))
    class_id = plan.spec.class_names.index("object 5")
    first, second = plan.images(class_id)
    assert isinstance(first, Skipped) and "empty" in first.reason and decoded(second).shape[2] == 3
    directory = write_source(plan, tmp_path / "records")
    assert list(json.loads((directory / "skipped.json").read_bytes())) == [str(class_id)]


def test_pickled_classes_are_sorted_and_keep_the_order_of_their_images(original):
    plan = planner("mini_imagenet")(original("mini_imagenet"))
    assert list(plan.spec.class_names) == sorted(plan.spec.class_names)
    assert [decoded(image).mean() for image in plan.images(64)] == [45, 46, 47]  # the last stored of 16


def test_duplicates_and_unreadable_images_are_left_out_of_imagenet(original):
    folder = original("ilsvrc_2012")
    (folder / "n10000007" / "n10000007_9.JPEG").write_bytes(b"no picture")
    plan = planner("ilsvrc_2012")(folder)
    assert sum(plan.spec.images_per_class) == 1001  # 100 duplicates are not counted
    one, other = images(plan, "n10000007")
    assert one == (folder / "n10000007" / "n10000007_1.JPEG").read_bytes() and isinstance(other, Skipped)
    counts = json.loads(plan.extra_files(plan.spec)["num_leaf_images.json"])
    assert counts["n10000007"] == 2 and len(counts) == 1000


def test_own_images_are_bi_level_if_the_csv_has_superclasses(original):
    folder = original("folder")
    spec = planner("folder")(folder).spec
    assert spec.class_names == ("ant", "bee", "car", "jet", "oak", "elm")
    assert spec.superclass_names == ("animal", "machine", "plant")
    (folder / "splits.csv").unlink()
    assert planner("folder")(folder).spec.classes_per_split == {"train": 4, "valid": 1, "test": 1}
    (folder / "splits.json").write_text(
        json.dumps({"train": ["ant", "bee", "car", "jet"], "valid": [], "test": ["elm"]})
    )
    with pytest.raises(UserError, match="oak"):
        planner("folder")(folder)


@pytest.mark.parametrize(
    ("source", "lost", "words"),
    [
        ("aircraft", "data/images_box.txt", "images_box.txt is missing"),
        ("aircraft", "data/images/0001000.jpg", "0001000.jpg is missing"),
        ("cu_birds", "classes.txt", "classes.txt is missing"),
        ("fungi", "val.json", "val.json is missing"),
        ("fungi", "images/7_Fungus 7/train.JPG", "train.JPG is missing"),
        ("ilsvrc_2012", "words.txt", "words.txt is missing"),
        ("ilsvrc_2012", "ImageNet_CUBirds_duplicates.txt", "ImageNet_CUBirds_duplicates.txt is missing"),
        ("mini_imagenet", "mini-imagenet-cache-val.pkl", "mini-imagenet-cache"),
        ("mscoco", "train2017/000000000001.jpg", "000000000001.jpg is missing"),
        ("quickdraw", "drawing 003.npy", "344 .npy files, not 345"),
        ("vgg_flower", "imagelabels.mat", "imagelabels.mat is missing"),
        ("vgg_flower", "jpg/image_00009.jpg", "image_00009.jpg is missing"),
    ],
)
def test_missing_files_are_reported_before_anything_is_written(source, lost, words, original):
    folder = original(source)
    (folder / lost).unlink()
    with pytest.raises(UserError) as error:
        planner(source)(folder)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "file", "words"),
    [
        ("aircraft", "data/images_box.txt", "images_box.txt: '' of image {broken is no box"),
        ("folder", "splits.csv", "the first line must be the header class,split"),
        ("fungi", "train.json", "train.json"),
        ("mscoco", "annotations/instances_train2017.json", "instances_train2017.json"),
        ("quickdraw", "drawing 003.npy", "is not a whole array"),
        ("vgg_flower", "imagelabels.mat", "holds no labels"),
        ("ilsvrc_2012", "wordnet.is_a.txt", "line 1"),
    ],
)
def test_a_damaged_list_is_named(source, file, words, original):
    folder = original(source)
    (folder / file).write_bytes(b"{broken")
    with pytest.raises(UserError, match=words):
        planner(source)(folder)


def test_an_invalid_image_stops_the_conversion_and_is_named(original, tmp_path):
    folder = original("cu_birds")
    file = folder / "images" / "001.Bird_1" / "broken.jpg"
    save(file, 1).write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken\.jpg"):
        write_source(planner("cu_birds")(folder), tmp_path / "records")
