"""Specifications of sources in shards: equal to those of one file per class, and refused where files contradict."""

import copy
import json
from pathlib import Path

import pytest

from alfa_md.data.prepared import find_prepared, load_prepared, prepared_sources
from alfa_md.data.spec import HierarchicalSpec, load_spec, parse_spec, save_spec
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.errors import MissingSource, UserError
from tests.data.prepared import write_prepared
from tests.data.records import named_image, write_source
from tests.data.test_spec import node, numbered

LENGTHS = (50, 0, 133, 33)  # of the shards of a source of 18 classes of 12 images


def wordnet(name: str, splits: dict[str, list[str]], counts: dict[str, int]) -> dict:
    """A specification of leaves by split, each split below one root."""
    graphs, images = {"TRAIN": [], "VALID": [], "TEST": []}, {"TRAIN": {}, "VALID": {}, "TEST": {}}
    for split, leaves in splits.items():
        root = f"root-{split}"
        graphs[split] = [node(root, leaves), *(node(leaf, (), [root]) for leaf in leaves)]
        images[split] = {leaf: counts[leaf] for leaf in leaves} | {root: sum(counts[leaf] for leaf in leaves)}
    names = [leaf for leaves in splits.values() for leaf in leaves]
    fields = {"name": name, "split_subgraphs": graphs, "images_per_class": images, "class_names": numbered(names)}
    return fields | {"path": "", "file_pattern": "{}.tfrecords", "__class__": HierarchicalSpec.kind}


def write_both(root: Path) -> tuple[Path, dict]:
    """ImageNet's two versions in miniature: records of one file per class, and in shards in the order of v1."""
    counts = dict(zip("abcdefgh", range(11, 19), strict=True))
    first = wordnet("nouns", {"TRAIN": list("bdfh"), "TEST": list("aceg")}, counts)
    folder = root / "nouns_v2"
    second = parse_spec(wordnet("nouns_v2", {"TRAIN": list("abcdefgh")}, counts), folder)
    save_spec(second, folder)
    for class_id, count in enumerate(second.images_per_class):
        records = (encode_example(named_image(class_id, number), class_id) for number in range(count))
        write_records(second.class_file(class_id), records)
    order = [second.class_names.index(name) for name in "bdfhaceg"]
    return write_prepared(root / "tfds", second, (40, 40, 36), order, first), first


def test_a_source_in_shards_has_the_specification_of_its_class_files(tmp_path):
    spec = write_source(tmp_path, images_per_class=12)
    folder = write_prepared(tmp_path / "tfds", spec, LENGTHS)
    found = load_spec(tmp_path / "tfds" / "toy")
    assert found == spec and found.to_json() == spec.to_json() and found.path == folder
    assert found.shards.lengths == LENGTHS and found.shards.slices[17] == (204, 216)
    with pytest.raises(ValueError, match="toy is in shards"):
        found.class_file(0)


def test_class_files_go_before_shards(tmp_path):
    spec = write_source(tmp_path, images_per_class=12)
    write_prepared(tmp_path, spec, LENGTHS)
    assert load_spec(tmp_path / "toy").shards is None
    assert prepared_sources(tmp_path) == ["toy"]
    (tmp_path / "toy" / "dataset_spec.json").unlink()
    assert load_spec(tmp_path / "toy").shards.lengths == LENGTHS
    with pytest.raises(MissingSource, match=r"dtd/dataset_spec\.json: not found"):
        load_spec(tmp_path / "dtd")


def test_both_versions_of_a_source_by_their_names(tmp_path):
    folder, first = write_both(tmp_path)
    one, two = (load_spec(tmp_path / "tfds" / name) for name in ("nouns", "nouns_v2"))
    assert one == parse_spec(first) and [one.class_names[c] for c in one.classes("test")] == list("aceg")
    assert two == load_spec(tmp_path / "nouns_v2") and two.class_names == tuple("abcdefgh")
    assert find_prepared(tmp_path / "tfds", "nouns_v2") == folder and find_prepared(tmp_path, "nouns") is None
    for spec in (one, two):
        sizes = {name: stop - start for name, (start, stop) in zip(spec.class_names, spec.shards.slices, strict=True)}
        assert sizes == dict(zip("abcdefgh", range(11, 19), strict=True))
    slices = dict(zip(one.class_names, one.shards.slices, strict=True))
    assert dict(zip(two.class_names, two.shards.slices, strict=True)) == slices


def put(*keys, value):
    """A change of the JSON value at `keys`."""

    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


TRAIN = ("relative_class_slices", "v1", "train")
INFO, METADATA = "dataset_info.json", "metadata.json"
BAD = {
    "array records": (INFO, put("fileFormat", value="array_record"), "'fileFormat' must be 'tfrecord'"),
    "splits that are no list": (INFO, put("splits", value={}), "'splits' must be a list"),
    "another split": (
        INFO,
        put("splits", 0, "name", value="train"),
        "must have 'all_classes' once, and has it 0 times",
    ),
    "names that lead elsewhere": (
        INFO,
        put("splits", 0, "filepathTemplate", value="../../{SPLIT}-{SHARD_X_OF_Y}"),
        "'filepathTemplate' must be .*, not '../../",
    ),
    "a length that is none": (INFO, put("splits", 0, "shardLengths", 1, value="-3"), "'shardLengths' must be a count"),
    "shards with fewer records": (
        INFO,
        put("splits", 0, "shardLengths", 0, value="49"),
        "ends at record 216, but dataset_info.json states 215",
    ),
    "a shard less": (
        INFO,
        put("splits", 0, "shardLengths", value=["50"]),
        "ends at record 216, but dataset_info.json states 50",
    ),
    "no version": (METADATA, put("dataset_specs", value={}), r"'dataset_specs' has none named 'toy', only \[\]"),
    "a version of another source": (
        METADATA,
        put("dataset_specs", value={"v1": {"name": "../toy"}, "v2": 3}),
        r"has none named 'toy', only \['../toy', None\]",
    ),
    "a specification without a field": (
        METADATA,
        put("dataset_specs", "v1", value={"name": "toy", "__class__": "DatasetSpecification"}),
        r"metadata\.json: field 'class_names' is missing",
    ),
    "no slices": (METADATA, put("relative_class_slices", value={"v2": {}}), "'v1' is missing"),
    "a slice of three": (METADATA, put(*TRAIN, "2", value=[24, 30, 36]), "at '2' must be a start and a stop"),
    "a slice of texts": (METADATA, put(*TRAIN, "2", value=["24", "36"]), "at '2' must be a count"),
    "a slice beyond the end": (
        METADATA,
        put("relative_class_slices", "v1", "test", "6", value=[204, 400]),
        "has the slice 204 to 400 for class 'class 17', but its images are 204 to 216",
    ),
    "two classes of one slice": (METADATA, put(*TRAIN, "2", value=[12, 24]), "slice 12 to 24 for class 'class 2', but"),
    "a class less": (METADATA, put(*TRAIN, value={"0": [0, 12]}), "has 13 classes, but dataset_specs 18"),
    "slices in no order": (METADATA, put(*TRAIN, value={"1": [0, 12]}), "must have the keys 0 to 0, but 0 is missing"),
}


@pytest.fixture(scope="module")
def intact(tmp_path_factory) -> dict[str, dict]:
    root = tmp_path_factory.mktemp("intact")
    folder = write_prepared(root / "tfds", write_source(root, images_per_class=12), LENGTHS)
    return {name: json.loads((folder / name).read_bytes()) for name in (INFO, METADATA)}


@pytest.mark.parametrize("kind", BAD)
def test_files_that_contradict_each_other_are_refused(kind, intact, tmp_path):
    name, change, words = BAD[kind]
    contents = copy.deepcopy(intact)
    change(contents[name])
    for file, content in contents.items():
        (tmp_path / file).write_text(json.dumps(content))
    with pytest.raises(UserError, match=words) as error:
        load_prepared(tmp_path, "toy")
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", [INFO, METADATA])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "not found; build"),
        ("[]", "must hold a JSON object"),
        ("{", "is not valid JSON"),
        ("[" * 10**5, "nested"),
    ],
)
def test_files_that_are_missing_or_no_objects(name, text, words, intact, tmp_path):
    for file, content in intact.items():
        (tmp_path / file).write_text(json.dumps(content))
    (tmp_path / name).unlink() if text is None else (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=rf"{name}: .*{words}"):
        load_prepared(tmp_path, "toy")
