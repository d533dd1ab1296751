import copy
import gzip
import hashlib
import json

import pytest

from alfa_md.data.spec import SPLITS, BiLevelSpec, HierarchicalSpec, load_spec, parse_spec, save_spec
from alfa_md.errors import UserError
from tests.shared import shared_data


def numbered(values):
    return {str(number): value for number, value in enumerate(values)}


def flat():
    return {
        "name": "birds",
        "classes_per_split": {"TRAIN": 2, "VALID": 0, "TEST": 1},
        "images_per_class": numbered([7, 5, 9]),
        "class_names": numbered(["wren", "rook", "kite"]),
        "path": "/elsewhere/birds",
        "file_pattern": "{}.tfrecords",
        "__class__": "DatasetSpecification",
    }


def bi_level():
    return {
        "name": "letters",
        "superclasses_per_split": {"TRAIN": 2, "VALID": 1, "TEST": 1},
        "classes_per_superclass": numbered([2, 1, 2, 1]),
        "superclass_names": numbered(["Greek", "Latin", "Ogham", "Runes"]),
        "images_per_class": numbered([20] * 6),
        "class_names": numbered(["Greek-1", "Greek-2", "Latin-1", "Ogham-1", "Ogham-2", "Runes-1"]),
        "path": "",
        "file_pattern": "{}.tfrecords",
        "__class__": "BiLevelDatasetSpecification",
    }


def node(wn_id, children=(), parents=()):
    return {"wn_id": wn_id, "words": f"words of {wn_id}", "children_ids": [*children], "parents_ids": [*parents]}


def hierarchical():
    """A training graph in which n3 has two parents, one test leaf, no validation class."""
    train = [
        node("n0", ["n1", "n2"]),
        node("n1", ["n3", "n4"], ["n0"]),
        node("n2", ["n3", "n5"], ["n0"]),
        node("n3", parents=["n1", "n2"]),
        node("n4", parents=["n1"]),
        node("n5", parents=["n2"]),
    ]
    return {
        "name": "nouns",
        "split_subgraphs": {"TRAIN": train, "VALID": [], "TEST": [node("n9")]},
        "images_per_class": {
            "TRAIN": {"n0": 111, "n1": 11, "n2": 101, "n3": 1, "n4": 10, "n5": 100},
            "VALID": {},
            "TEST": {"n9": 6},
        },
        "class_names": numbered(["n3", "n4", "n5", "n9"]),
        "path": "",
        "file_pattern": "{}.tfrecords",
        "__class__": "HierarchicalDatasetSpecification",
    }


KINDS = [flat, bi_level, hierarchical]


def write(directory, data):
    directory.mkdir(exist_ok=True)
    (directory / "dataset_spec.json").write_text(data if isinstance(data, str) else json.dumps(data))
    return directory


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_flat_fields(tmp_path):
    spec = load_spec(write(tmp_path / "birds", flat()))
    assert (spec.class_names, spec.images_per_class) == (("wren", "rook", "kite"), (7, 5, 9))
    assert [spec.classes(split) for split in SPLITS] == [range(0, 2), range(2, 2), range(2, 3)]
    assert spec.path == tmp_path / "birds"  # not the path written in the file
    assert spec.class_file(2) == tmp_path / "birds" / "2.tfrecords"


def test_bi_level_classes_follow_the_superclasses():
    spec = parse_spec(bi_level())
    assert isinstance(spec, BiLevelSpec)
    assert spec.classes_per_split == {"train": 3, "valid": 2, "test": 1}
    assert [spec.superclasses(split) for split in SPLITS] == [range(0, 2), range(2, 3), range(3, 4)]
    assert [spec.classes_of(number) for number in range(4)] == [range(0, 2), range(2, 3), range(3, 5), range(5, 6)]


def test_hierarchical_counts_are_those_of_the_leaves_in_class_id_order():
    spec = parse_spec(hierarchical())
    assert isinstance(spec, HierarchicalSpec)
    assert spec.images_per_class == (1, 10, 100, 6)
    assert spec.classes_per_split == {"train": 3, "valid": 0, "test": 1}
    spans = {wn_id: "".join(sorted(leaves)) for wn_id, leaves in spec.spanned_leaves("train").items()}
    assert spans == {"n0": "n3n4n5", "n1": "n3n4", "n2": "n3n5", "n3": "n3", "n4": "n4", "n5": "n5"}


@pytest.mark.parametrize("kind", KINDS)
def test_json_round_trip(kind, tmp_path):
    data = kind()
    spec = load_spec(write(tmp_path / data["name"], data))
    copied = tmp_path / "copy" / data["name"]
    save_spec(spec, copied)
    assert load_spec(copied) == spec
    written = json.loads((copied / "dataset_spec.json").read_text())
    assert {**written, "path": None} == {**data, "path": None}
    assert [file.name for file in copied.iterdir()] == ["dataset_spec.json"]  # no temporary file stays


def test_order_of_children_does_not_matter():
    data = hierarchical()
    for item in data["split_subgraphs"]["TRAIN"]:
        item["children_ids"].reverse()
        item["parents_ids"].reverse()
    assert parse_spec(data) == parse_spec(hierarchical())


def test_order_of_keys_does_not_matter():
    data = flat()
    turned = {key: dict(reversed(v.items())) if isinstance(v, dict) else v for key, v in reversed(data.items())}
    assert parse_spec(turned) == parse_spec(data)


def test_class_names_may_be_numbers_as_in_an_early_published_file():
    assert parse_spec({**flat(), "class_names": numbered([0, 1, 2])}).class_names == ("0", "1", "2")


def test_nodes_may_lack_words_and_parents():
    data = hierarchical()
    for item in data["split_subgraphs"]["TRAIN"]:
        del item["words"], item["parents_ids"]
    assert parse_spec(data).spanned_leaves("train") == parse_spec(hierarchical()).spanned_leaves("train")


MALFORMED = [
    (flat, ["name"], None, "'name' is missing"),
    (flat, ["class_names"], None, "'class_names' is missing"),
    (flat, ["images_per_class"], None, "'images_per_class' is missing"),
    (flat, ["images_per_class"], [7, 5, 9], "'images_per_class' must be an object"),
    (flat, ["images_per_class", "1"], None, "'images_per_class' must have the keys 0 to 1, but 1 is missing"),
    (flat, ["images_per_class", "1"], "5", "'images_per_class' at '1' must be a count, not '5'"),
    (flat, ["images_per_class", "1"], -5, "'images_per_class' at '1' must be a count"),
    (flat, ["images_per_class", "1"], True, "'images_per_class' at '1' must be a count"),
    (flat, ["images_per_class", "1"], 2**31, "'images_per_class' at '1' must be a count, not 2147483648"),
    (flat, ["images_per_class", "1"], {"train": 3, "test": 2}, "pools are not supported"),
    (flat, ["images_per_class", "3"], 5, "'images_per_class' has 4 entries, but the splits hold 3 classes"),
    (flat, ["class_names", "3"], "owl", "'class_names' has 4 entries"),
    (flat, ["class_names", "2"], ["kite"], "'class_names' at '2' must be a string"),
    (flat, ["classes_per_split", "VALID"], None, "'classes_per_split' must have the keys TRAIN, VALID, TEST"),
    (flat, ["classes_per_split", "POOL"], 0, "'classes_per_split' must have the keys TRAIN, VALID, TEST"),
    (flat, ["file_pattern"], "{}_{}.tfrecords", "'file_pattern' must be '{}.tfrecords'"),
    (flat, ["__class__"], None, "'__class__' is missing"),
    (flat, ["__class__"], "Specification", "'__class__' must be one of"),
    (bi_level, ["superclass_names", "4"], "Tifinagh", "'superclass_names' has 5 entries"),
    (bi_level, ["superclasses_per_split", "TEST"], 2, "'superclass_names' has 4 entries"),
    (bi_level, ["classes_per_superclass", "4"], 3, "'classes_per_superclass' has 5 entries"),
    (bi_level, ["classes_per_superclass", "1"], 9, "'class_names' has 6 entries, but the splits hold 14 classes"),
    (bi_level, ["images_per_class", "5"], {"train": 1}, "pools are not supported"),
    (hierarchical, ["split_subgraphs"], None, "'split_subgraphs' is missing"),
    (hierarchical, ["split_subgraphs", "TRAIN"], {}, "'split_subgraphs' at 'TRAIN' must be a list of nodes"),
    (hierarchical, ["split_subgraphs", "TEST", 0], "n9", "TEST node 0: must hold a JSON object"),
    (hierarchical, ["split_subgraphs", "TRAIN", 1, "children_ids"], None, "TRAIN node 1: field 'children_ids'"),
    (hierarchical, ["split_subgraphs", "TRAIN", 1, "children_ids"], "n3", "'children_ids' must be a list of strings"),
    (hierarchical, ["split_subgraphs", "TRAIN", 1, "children_ids", 0], "n9", "gives n1 the child n9, not a train node"),
    (hierarchical, ["split_subgraphs", "TRAIN", 5, "wn_id"], "n4", "'split_subgraphs' holds node n4 twice"),
    (hierarchical, ["split_subgraphs", "TRAIN", 1, "children_ids", 1], "n0", "'split_subgraphs' has a cycle through n"),
    (hierarchical, ["images_per_class", "TRAIN", "n4"], None, "'images_per_class' has no count for n4 in TRAIN"),
    (hierarchical, ["images_per_class", "TRAIN", "n4"], {"train": 1}, "pools are not supported"),
    (hierarchical, ["images_per_class", "TEST"], 6, "'images_per_class' at 'TEST' must be an object of counts"),
    (hierarchical, ["class_names", "4"], "n10", "'class_names' has 5 entries"),
]


@pytest.mark.parametrize("kind, keys, value, expected", MALFORMED)
def test_malformed_fields_are_named(kind, keys, value, expected, tmp_path):
    data = copy.deepcopy(kind())
    inner = data
    for key in keys[:-1]:
        inner = inner[key]
    if value is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    with pytest.raises(UserError) as error:
        load_spec(write(tmp_path / kind()["name"], data))
    assert expected in one_line(error)
    assert one_line(error).startswith(str(tmp_path / kind()["name"] / "dataset_spec.json"))


def test_leaves_and_class_names_must_agree():
    data = hierarchical()
    data["class_names"]["0"] = "n1"  # an inner node, for which there is a count
    with pytest.raises(UserError, match="'class_names' and the leaves of the train graph differ in n1"):
        parse_spec(data)


@pytest.mark.parametrize(
    "text, expected", [("{", "not valid"), ("[1]", "JSON object"), ("\xff", "not valid"), ("[" * 10**5, "too deeply")]
)
def test_not_a_specification(text, expected, tmp_path):
    directory = write(tmp_path / "birds", "")
    (directory / "dataset_spec.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=expected) as error:
        load_spec(directory)
    assert str(directory / "dataset_spec.json") in one_line(error)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="not found") as error:
        load_spec(tmp_path / "birds")
    assert str(tmp_path / "birds" / "dataset_spec.json") in one_line(error)


def test_legacy_pickle_alone_asks_for_conversion(tmp_path):
    (tmp_path / "dataset_spec.pkl").write_bytes(b"")
    with pytest.raises(
        UserError, match="dataset_spec.pkl: is never opened.* to get dataset_spec.json, convert"
    ) as error:
        load_spec(tmp_path)
    one_line(error)


def test_unreadable_file_is_named(tmp_path):
    (tmp_path / "birds" / "dataset_spec.json").mkdir(parents=True)
    with pytest.raises(UserError, match="dataset_spec.json: cannot be read"):
        load_spec(tmp_path / "birds")


def test_name_must_be_that_of_the_directory(tmp_path):
    with pytest.raises(UserError, match="'name' is 'birds'"):
        load_spec(write(tmp_path / "fowl", flat()))


def test_relative_directory(tmp_path, monkeypatch):
    write(tmp_path / "birds", flat())
    monkeypatch.chdir(tmp_path / "birds")
    assert load_spec(".").path == tmp_path / "birds"


def test_unknown_split():
    with pytest.raises(UserError, match="unknown split 'dev'; choose one of train, valid, test"):
        parse_spec(flat()).classes("dev")


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    directory = write(tmp_path / "birds", flat())
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_spec(parse_spec({**flat(), "name": "other"}), directory)
    assert load_spec(directory).name == "birds"
    assert [file.name for file in directory.iterdir()] == ["dataset_spec.json"]


# First 16 hex digits of the sha256 of the published class names, joined by newlines, and of the counts, as JSON.
PUBLISHED = {
    "ilsvrc_2012": ("febfebd3d704c9f9", "2f39570943f3497e", 712, 158, 130),
    "omniglot": ("3037aac8a248d20d", "0fe23854b391ae56", 883, 81, 659),
    "aircraft": ("c85e36af637ee4fe", "7b8497f18f4e7c39", 70, 15, 15),
    "cu_birds": ("237e82c90be65d3e", "a537ebbc849a0278", 140, 30, 30),
    "dtd": ("c1d24c6f0c953636", "92dfa65e67c5211f", 33, 7, 7),
    "quickdraw": ("646e6fa04ce2152a", "727b69a12868b1c7", 241, 52, 52),
    "fungi": ("3f9aa486fafea5f5", "0351dc60b949c871", 994, 200, 200),
    "vgg_flower": ("9e75d01df8470464", "ee12760158f2afc8", 71, 15, 16),
    "traffic_sign": ("0ca116975df9ed0c", "306645833b44b27d", 0, 0, 43),
    "mscoco": ("232d1c803bbaf509", "ad389e7bc7e92be0", 0, 40, 40),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_published_specifications(source):
    with gzip.open(shared_data("meta_dataset_classes.json.gz")) as file:
        data = json.load(file)[source]
    spec = parse_spec(data)
    names, counts, *classes = PUBLISHED[source]
    assert hashlib.sha256("\n".join(spec.class_names).encode()).hexdigest()[:16] == names
    compact = json.dumps(spec.images_per_class, separators=(",", ":"))
    assert hashlib.sha256(compact.encode()).hexdigest()[:16] == counts
    assert list(spec.classes_per_split.values()) == classes
    assert spec.to_json()["images_per_class"] == data["images_per_class"]  # also of the inner nodes of ImageNet
    assert parse_spec(json.loads(json.dumps(spec.to_json()))) == spec
