"""Images that are not where they are expected: each is taken, or counted and named in the conversion's report."""

import json
from importlib import import_module
from pathlib import Path
from unicodedata import normalize

import pytest

from alfa_md.data.convert import planner
from alfa_md.errors import UserError
from tests.entries.harness import run_entry
from tests.tiny_pictures import save


@pytest.fixture
def original(tmp_path):
    return lambda name: import_module(f"tests.data.convert.originals.{name}").write(tmp_path / "own")


def edit_json(file: Path, change) -> None:
    content = json.loads(file.read_bytes())
    change(content)
    file.write_text(json.dumps(content))


def test_images_in_folders_of_a_class_are_taken_and_reported(original, tmp_path):
    folder = original("folder")
    for number in range(3):
        save(folder / "ant" / "2019" / f"{number}.png", number)
    (folder / "bee" / "notes.txt").write_text("no image")
    run = run_entry("convert", "folder", "--source_dir=own", "--records_root_dir=records", "--workers=1", cwd=tmp_path)
    assert run.code == 0, run.err
    first, second, _ = run.out.splitlines()
    assert first == "3 images taken from folders within a class: ant/2019/0.png, ant/2019/1.png, ant/2019/2.png"
    assert second == "1 files of own/ left out, in no class or not images: bee/notes.txt"
    spec = planner("folder")(folder).spec
    assert spec.images_per_class[spec.class_names.index("ant")] == 6 and sum(spec.images_per_class) == 21


def test_a_class_of_folders_alone_is_refused_since_they_may_be_classes(original):
    folder = original("folder")
    for file in list((folder / "ant").iterdir()):
        (folder / "ant" / "queens").mkdir(exist_ok=True)
        file.rename(folder / "ant" / "queens" / file.name)
    with pytest.raises(UserError, match="ant: this class has images only in folders within it, such as queens/"):
        planner("folder")(folder)


@pytest.mark.parametrize("layout", ["splits.csv", "splits.json"])
def test_a_split_file_in_another_unicode_form_is_of_the_same_classes(tmp_path, layout):
    names = [f"espècie {number}" for number in range(6)]
    for number, name in enumerate(names):
        save(tmp_path / normalize("NFD", name) / "1.png", number)
    names = [normalize("NFC", name) for name in names]
    splits = dict(zip(("train", "valid", "test"), (names[:3], names[3:5], names[5:]), strict=True))
    rows = [f"{name},{split}" for split, own in splits.items() for name in own]
    content = json.dumps(splits) if layout == "splits.json" else "\n".join(["class,split", *rows])
    (tmp_path / layout).write_text(content, encoding="utf-8")
    spec = planner("folder")(tmp_path).spec
    assert spec.class_names == tuple(normalize("NFD", name) for name in names)


def test_fungi_are_in_the_order_of_the_images_and_not_of_the_annotations(original):
    folder = original("fungi")
    for number in (1, 2):
        save(folder / f"images/more_{number}.JPG", number)

    def add_images(content):
        content["images"] += [{"id": 20_000 + n, "file_name": f"images/more_{n}.JPG"} for n in (1, 2)]
        content["annotations"] += [{"id": n, "image_id": 20_000 + n, "category_id": 7} for n in (2, 1)]
        content["annotations"].reverse()

    edit_json(folder / "train.json", add_images)
    plan = planner("fungi")(folder)
    files = plan.images.files[plan.spec.class_names.index("0007.Fungus 7")]
    assert [file.name for file in files] == ["train.JPG", "more_1.JPG", "more_2.JPG"] and not plan.notes


def test_fungi_without_annotation_or_of_two_species_are_reported(original):
    folder = original("fungi")
    name = "images/3_Fungus 3/train.JPG"

    def annotate(content):
        content["annotations"].append({"id": 9, "image_id": 30, "category_id": 5})
        content["images"].append({"id": 10**6, "file_name": "images/lost.JPG"})
        content["images"].append({"id": 10**6 + 1, "file_name": name})
        content["annotations"].append({"id": 10, "image_id": 10**6 + 1, "category_id": 3})

    edit_json(folder / "train.json", annotate)
    plan = planner("fungi")(folder)
    assert plan.notes == (
        "1 images without annotation left out: images/lost.JPG",
        f"1 images annotated as several species, taken as the last: {name}",
        f"1 images listed more than once, taken each time: {name}",
    )
    counts = dict(zip(plan.spec.class_names, plan.spec.images_per_class, strict=True))
    assert counts["0005.Fungus 5"] == 2 and counts["0003.Fungus 3"] == 1


def test_a_fungus_listed_as_two_images_is_taken_twice_and_reported(original):
    folder = original("fungi")
    name = "images/3_Fungus 3/train.JPG"

    def list_again(content):
        content["images"].append({"id": 10**6, "file_name": name})
        content["annotations"].append({"id": 9, "image_id": 10**6, "category_id": 5})

    edit_json(folder / "train.json", list_again)
    plan = planner("fungi")(folder)
    assert plan.notes == (f"1 images listed more than once, taken each time: {name}",)
    counts = dict(zip(plan.spec.class_names, plan.spec.images_per_class, strict=True))
    assert counts["0005.Fungus 5"] == 2 and counts["0003.Fungus 3"] == 1


@pytest.mark.parametrize(
    ("source", "file", "change", "words"),
    [
        ("fungi", "train.json", ("categories", "id", 1), "a category has the id of another"),
        ("fungi", "train.json", ("annotations", "category_id", 3.7), "3.7 is no whole number"),
        ("mscoco", "annotations/instances_train2017.json", ("images", "id", 1), "has the id of another"),
    ],
)
def test_ids_that_are_taken_for_others_are_refused(source, file, change, words, original):
    folder, (part, key, value) = original(source), change
    edit_json(folder / file, lambda content: content[part][0].update({key: value}))
    with pytest.raises(UserError, match=words):
        planner(source)(folder)


@pytest.mark.parametrize(
    ("source", "file", "words"),
    [
        (
            "aircraft",
            "data/images/stranger.jpg",
            "1 files of images/ left out, in no class or not images: stranger.jpg",
        ),
        ("cu_birds", "images/999.Dodo/1.jpg", "1 files of images/ left out, in no class or not images: 999.Dodo/1.jpg"),
        ("dtd", "images/texture45/1.png", "images/ left out, in no class or not images: texture45/1.png"),
        ("fungi", "images/stranger.JPG", "1 files of images/ left out, in no class or not images: stranger.JPG"),
        ("ilsvrc_2012", "n10000007/more/x.JPEG", "of other formats or in further folders: n10000007/more/x.JPEG"),
        ("mscoco", "train2017/stranger.jpg", "1 files of train2017/ left out, in no class or not images: stranger.jpg"),
        ("quickdraw", "drawing.ndjson", "left out, in no class or not images: drawing.ndjson"),
        ("traffic_sign", "Final_Training/Images/00099/1.ppm", "left out, in no class or not images: 00099/1.ppm"),
        ("vgg_flower", "jpg/image_99999.jpg", "1 files of jpg/ left out, in no class or not images: image_99999.jpg"),
    ],
)
def test_a_file_in_no_class_is_reported(source, file, words, original):
    folder = original(source)
    before = planner(source)(folder)
    assert not [line for line in before.notes if "duplicates" not in line]
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(b"")
    plan = planner(source)(folder)
    assert words in plan.notes[-1] and plan.spec == before.spec


@pytest.mark.parametrize(
    ("source", "file", "name"),
    [
        ("fungi", "train.json", "images/7_Fungus 7/train.JPG"),
        ("mscoco", "annotations/instances_train2017.json", "000000000001.jpg"),
        ("cu_birds", "classes.txt", "001.Bird_1"),
        ("aircraft", "data/images_variant_test.txt", None),
        ("folder", "splits.csv", "ant"),
    ],
)
def test_a_list_that_leads_out_of_the_data_is_refused(source, file, name, original):
    folder = original(source)
    text = (folder / file).read_text()
    name = name or text.split()[0]
    assert name in text
    (folder / file).write_text(text.replace(name, f"../../{name}"))
    with pytest.raises(UserError, match=r"leads out of|does not divide the classes"):
        planner(source)(folder)


def test_a_linked_class_is_taken_unless_a_list_names_it(original, tmp_path):
    folder = original("folder")
    (folder / "ant").rename(tmp_path / "elsewhere")
    (folder / "ant").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="own/ant: is a link that leads out of"):
        planner("folder")(folder)
    (folder / "splits.csv").unlink()
    assert planner("folder")(folder).notes == () and sum(planner("folder")(folder).spec.images_per_class) == 18


def test_split_files_within_a_class_and_hidden_folders_are_no_class(original):
    folder = original("folder")
    (folder / "__MACOSX").mkdir()
    (folder / "ant/old-splits.json").write_text('{"train": []}')
    (note,) = planner("folder")(folder).notes
    assert note == "1 files of own/ left out, in no class or not images: ant/old-splits.json"


@pytest.mark.parametrize("name", ["splits.json", "valid.txt"])
def test_a_second_split_file_is_refused(original, name):
    folder = original("folder")
    (folder / name).write_text('{"train": []}')
    with pytest.raises(UserError, match=r"own: has splits.\w+ and [\w.]+, which both split it; keep one"):
        planner("folder")(folder)


def test_text_files_split_as_the_csv_does(original):
    folder = original("folder")
    by_csv = planner("folder")(folder).spec
    (folder / "splits.csv").unlink()
    names = iter(by_csv.class_names)
    for split, number in by_csv.classes_per_split.items():
        (folder / f"{split}.txt").write_text("\n".join(listed := [next(names) for _ in range(number)]))
    plan = planner("folder")(folder)
    assert plan.notes == () and plan.spec.classes_per_split == by_csv.classes_per_split
    assert set(plan.spec.class_names[-number:]) == set(listed)
    (folder / "test.txt").write_text("nowhere")
    with pytest.raises(UserError, match="own: does not divide the classes that are there"):
        planner("folder")(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("animal\noak", "\noak", "class 'ant' has no superclass; give every class one"),
        ("ant,train,animal", "ant,train", "class 'ant' has no superclass; give every class one"),
        ("ant,train,animal", "ant,train,animal, small", "line 2 has more values than the header"),
        ("class,split", "class,split,split", "the header has split twice; keep one"),
    ],
)
def test_rows_that_would_lose_a_value_are_refused(original, old, new, words):
    file = original("folder") / "splits.csv"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=words):
        planner("folder")(file.parent)


def test_spaces_around_values_of_a_split_file_do_not_count(original):
    folder = original("folder")
    before = planner("folder")(folder).spec
    text = (folder / "splits.csv").read_text()
    (folder / "splits.csv").write_text(text.replace("ant,train,animal", "ant, train , animal  "))
    assert planner("folder")(folder).spec == before


@pytest.mark.parametrize("name", ["red \x1b[31m", "two\nlines", "caf\udce9"])
def test_a_folder_whose_name_cannot_be_that_of_a_source_is_refused(original, name):
    folder = original("folder")
    with pytest.raises(UserError, match="its name, that of the source, cannot be printed; rename the folder"):
        planner("folder")(folder.rename(folder.with_name(name)))
