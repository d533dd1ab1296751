"""The study of predictions: its draws, its accuracies, a small one from archives to results, and its table."""

import io
import json

import gin
import numpy as np
import pytest
from PIL import Image
from torch import nn

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images.transform import Transform
from alfa_md.data.picture_inputs import ImageInput
from alfa_md.errors import UserError
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.rules.sgd import sgd
from scripts import prediction_study, predictions_table
from scripts.prediction_draws import ADAPTED, CENTROID, COSINE, accuracies, draws
from scripts.prediction_study import PredictionStudy
from scripts.sample_archives import unpack_archive
from scripts.study import Variant
from tests.entries.harness import environment
from tests.pictures import COLOURS, write_picture, write_support

TWO_WAYS = FixedWay(2, 2, 1)


@pytest.fixture
def folder(tmp_path):
    return write_support(tmp_path / "own", 5)


def test_draws_are_reproducible_and_keep_labelled_pictures_apart(folder):
    drawn = list(draws(folder, TWO_WAYS, range(6)))
    assert drawn == list(draws(folder, TWO_WAYS, range(6))) and drawn != list(draws(folder, TWO_WAYS, range(6), seed=1))
    for labelled, files, truth in drawn:
        assert labelled.shots == (2, 2) and list(labelled.classes) == sorted(labelled.classes)
        assert all(
            file.parent.name == labelled.classes[y] for file, y in zip(labelled.files, labelled.labels, strict=True)
        )
        assert truth == labelled.classes and all(file.startswith(name) for file, name in zip(files, truth, strict=True))
        assert not {str(file.relative_to(folder)) for file in labelled.files} & {*files}


def test_classifiers_are_judged_on_the_same_draws(folder):
    for number in range(5):  # a class that no classifier tells from red
        write_picture(folder / "crimson" / f"{number}.png", COLOURS["red"], 500 + number)
    colour = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    learner = GradientLearner(colour, PrototypeHead(), lambda *facts: sgd(*facts, inner_rate=0.1), num_steps=1)
    found = accuracies(learner, ImageInput(Transform(size=8)), folder, draws(folder, FixedWay(4, 2, 2), range(5)))
    assert found.keys() == {ADAPTED, CENTROID, COSINE}
    for scores in found.values():
        assert len(scores) == 5 and 0.5 <= np.mean(scores) < 1


def write_archive(file, names: list[str], splits: list[str]) -> None:
    """An archive of six JPEG pictures a class."""
    contents, labels = [], []
    for label in range(len(names)):
        for number in range(6):
            pixels = np.random.RandomState(10 * label + number).randint(0, 60, (20, 20, 3)) + 30 * label % 190
            data = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(data, "JPEG")
            contents.append(np.frombuffer(data.getvalue(), np.uint8))
            labels.append(label)
    ends = np.cumsum([0, *map(len, contents)])
    arrays = {"jpeg": np.concatenate(contents), "offset": ends, "label": np.array(labels), "class_names": names}
    np.savez(file, **arrays, **({"class_split": splits} if splits else {}))


def test_an_archive_becomes_class_folders(tmp_path):
    write_archive(tmp_path / "a.npz", ["cat/tabby", "dog"], ["train", "test"])
    place = unpack_archive(tmp_path / "a.npz", tmp_path / "a")
    assert sorted(path.name for path in place.iterdir() if path.is_dir()) == ["cat_tabby", "dog"]
    assert len(list(place.glob("*/*.jpg"))) == 12
    splits = json.loads((place / "splits.json").read_text())
    assert splits == {"train": ["cat_tabby"], "valid": [], "test": ["dog"]}
    (tmp_path / "b.npz").write_bytes(b"no archive")
    for name in ("b.npz", "c.npz"):
        with pytest.raises(UserError, match=f"{name}: is no archive of encoded images"):
            unpack_archive(tmp_path / name, tmp_path / name[0])


SMALL = ("IMAGE_SIZE = 16", "FourLayerConvNet.num_filters = 4", "train.num_validation_episodes = 1", "cache = None")
EPISODES = ("Sampling.num_ways = 3", "Sampling.num_support = 2", "Sampling.num_query = 2", "train.num_updates = 1")


@pytest.mark.slow
def test_a_small_study_is_measured_once(tmp_path, monkeypatch):
    monkeypatch.setattr(prediction_study, "SOURCES", {"own": "own"})
    monkeypatch.setattr(prediction_study, "WAYS", {3: FixedWay(3, 2, 2)})
    monkeypatch.setattr(prediction_study, "NUM_DRAWS", 4)
    write_archive(
        tmp_path / "mini_imagenet_subset.npz",
        [f"class {number}" for number in range(9)],
        3 * ["train"] + 3 * ["valid"] + 3 * ["test"],
    )
    write_archive(tmp_path / "own_subset.npz", ["a", "b", "c", "d"], [])
    net = ("import alfa_md.backbones.four_layer_convnet", "BACKBONE = @FourLayerConvNet()", *SMALL, *EPISODES)
    pretraining = Variant(
        "gin/pretrain_imagenet_convnet.gin",
        (*SMALL, *EPISODES, "NUM_FEATURES = 4", "NUM_CLASSES = 3", "batches.batch_size = 4"),
    )
    study = PredictionStudy("tiny", {"alfa": Variant("gin/proto_maml_alfa.gin", net)}, pretraining)
    with environment(tmp_path / "cache"):
        study.measure("alfa", 0, tmp_path / "runs", str(tmp_path), tmp_path / "store")
    (file,) = (tmp_path / "store" / "tiny").iterdir()
    content = json.loads(file.read_text())
    assert file.name == "alfa-own-3-way-seed0.json" and content["training_cpu_seconds"] > 0
    assert [len(scores) for scores in content["accuracies"].values()] == [4, 4, 4]
    file.write_text(json.dumps(content | {"mark": True}))
    study.measure("alfa", 0, tmp_path / "elsewhere", str(tmp_path), tmp_path / "store")
    assert json.loads(file.read_text())["mark"] and not (tmp_path / "elsewhere").exists()
    gin.clear_config()


def stored(folder, seed: int, adapted: list[float], centroid: list[float], cosine: list[float]) -> None:
    content = {"variant": "alfa", "seed": seed, "source": "grocery", "way": 5, "machine": "m", "cpu_seconds": 60.0}
    content |= {"accuracies": {ADAPTED: adapted, CENTROID: centroid, COSINE: cosine}, "training_cpu_seconds": 120.0}
    (folder / f"alfa-grocery-5-way-seed{seed}.json").write_text(json.dumps(content))


def test_differences_are_paired_and_say_whether_0_is_excluded(tmp_path):
    stored(tmp_path, 0, [0.5, 0.7], [0.4, 0.6], [0.3, 0.9])
    stored(tmp_path, 1, [0.7, 0.9], [0.6, 0.8], [0.5, 0.9])
    text = " ".join(predictions_table.section(tmp_path).split())
    numbers = "70.00±13.86 | 60.00±13.86 | 65.00±34.65 | 10.00±0.00 | 5.00±20.79 (0 is not excluded) |"
    assert f"| grocery | {predictions_table.TITLES['alfa']} | 0, 1 | {numbers} unmeasured |" in text
    assert "unmeasured" in text and "2.0 CPU minutes of training with the pretraining, 2.0 of draws" in text
    commands = predictions_table.commands(tmp_path)
    assert "--seeds=0,1" in commands and "# proto_maml" in commands
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UserError, match="other.json is no stored result"):
        predictions_table.section(tmp_path)
