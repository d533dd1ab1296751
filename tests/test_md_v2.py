"""Meta-Dataset v2 and the thirteen sources: their lists, gin files, and words for --sources."""

import json
import re
from unittest import mock

import gin
import pytest

from alfa_md.data.roots import Root
from alfa_md.errors import UserError
from alfa_md.evaluation.run import select_sources
from alfa_md.experiment import config, definition
from alfa_md.experiment.definition import ALL_13, MD_V2, META_DATASET
from alfa_md.learners.baseline import BaselineLearner
from tests.entries import harness
from tests.entries.harness import EVERY_SPLIT, TINY, environment, needs_tensorflow, run_entry, write_root
from tests.shared import ROOT

FOLDER = "gin/md_v2"
LEAVES = ("proto_maml", "proto_maml_all", "pretrain_resnet")
SMALL_NET = ("import alfa_md.backbones.four_layer_convnet", "BACKBONE = @FourLayerConvNet()")
VALIDATION = {"fungi", "aircraft", "quickdraw", "omniglot", "mscoco", "cu_birds", "dtd"}
TRAIN = ("ilsvrc_2012_v2",)
TRAIN_ALL = (*TRAIN, "aircraft", "cu_birds", "omniglot", "quickdraw", "dtd", "fungi")
SOURCES = dict.fromkeys(VALIDATION, EVERY_SPLIT) | {
    "ilsvrc_2012_v2": {"train": 6, "valid": 0, "test": 0},
    "traffic_sign": {"train": 0, "valid": 0, "test": 7},
    "mscoco": {"train": 0, "valid": 5, "test": 7},
}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def built(*files: str, bindings=()) -> definition.Experiment:
    config.parse(files, bindings)
    return definition.build_experiment(0)


def test_the_lists():
    assert MD_V2 == ("omniglot", "aircraft", "cu_birds", "dtd", "quickdraw", "fungi", "traffic_sign", "mscoco")
    assert ALL_13 == (*META_DATASET, "mnist", "cifar10", "cifar100") and len(ALL_13) == 13


@pytest.mark.parametrize(
    "file, train_sources, rate, more_steps",
    [("proto_maml", TRAIN, 0.01, 90), ("proto_maml_all", TRAIN_ALL, 0.005435022808033229, 0)],
)
def test_files_hold_the_published_hyperparameters(file, train_sources, rate, more_steps):
    made = built(f"{FOLDER}/{file}.gin", bindings=SMALL_NET)
    assert (made.train_sources, made.test_sources) == (train_sources, MD_V2)
    assert set(made.validation_sources) == VALIDATION and len(made.validation_sources) == 7
    assert (made.learner.num_steps, made.learner.additional_evaluation_steps) == (10, more_steps)
    assert made.learner.rule.hypers.lr.value == rate
    trained = {name: gin.query_parameter(f"train.{name}") for name in ("learning_rate", "weight_decay", "num_updates")}
    assert trained == {"learning_rate": 0.00036339913514891586, "weight_decay": 0.0001, "num_updates": 75000}
    assert gin.query_parameter("step_decay.decay_every") == 1000
    assert gin.query_parameter("step_decay.decay_rate") == 0.6477898086638092
    assert made.pretrained == f"{FOLDER}/pretrain_resnet.gin"


def test_the_pretraining_has_all_classes_of_imagenet():
    made = built(f"{FOLDER}/pretrain_resnet.gin", bindings=SMALL_NET)
    assert isinstance(made.learner, BaselineLearner) and made.learner.classifier.num_classes == 1000
    assert (made.train_sources, made.pretrained) == (TRAIN, None) and set(made.validation_sources) == VALIDATION


@pytest.mark.parametrize("part, train_sources", [("imagenet", TRAIN), ("all", TRAIN_ALL)])
def test_after_another_file_only_the_sources_change(part, train_sources):
    files = ("gin/proto_maml_alfa.gin", "gin/quickstart.gin")
    before, after = built(*files), built(*files, f"{FOLDER}/{part}.gin")
    assert (after.train_sources, after.test_sources) == (train_sources, MD_V2)
    assert type(after.learner) is type(before.learner) and after.sampling == before.sampling


def test_every_file_has_a_header_with_cost_and_command():
    assert {path.stem for path in (ROOT / FOLDER).glob("*.gin")} == {*LEAVES, "imagenet", "all"}
    for name in LEAVES:
        header = (ROOT / FOLDER / f"{name}.gin").read_text().split("include")[0]
        assert re.search(r"No published row.*\n(#.*\n)*# Cost: ", header)
        assert f"# Command: python -m alfa_md.train --gin_config={FOLDER}/{name}.gin " in header


def test_words_for_sources_stand_for_lists(tmp_path):
    made = built("gin/proto_maml.gin", "gin/quickstart.gin")
    for kind in ("records", "miniature"):
        assert select_sources(["all13"], made, Root(tmp_path, kind)) == ALL_13
        assert select_sources(["md_v2"], made, Root(tmp_path, kind)) == MD_V2
    assert select_sources(["all"], made, Root(tmp_path, "records")) == META_DATASET
    with pytest.raises(UserError, match="--sources=all13: these are sources of Meta-Dataset's records"):
        select_sources(["all13"], made, Root(tmp_path, "generated"))
    with pytest.raises(UserError, match="--sources: unknown source all13; there are: ilsvrc_2012"):
        select_sources(["all13", "dtd"], made, Root(tmp_path, "records"))


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize("file", LEAVES)
def test_two_small_updates_and_an_evaluation_of_the_eight(tmp_path, file):
    with mock.patch.dict(harness.SOURCES, SOURCES, clear=True):
        root = write_root(tmp_path / "records")
    small = ["NUM_CLASSES = 6", "NUM_FEATURES = 4", "batches.batch_size = 8"] if file == "pretrain_resnet" else []
    flags = [f"--gin_config={FOLDER}/{file}.gin", "--gin_config=gin/quickstart.gin", "--run_dir=run"]
    bound = [f"--gin_bindings={line}" for line in (*TINY, *small)]
    with environment(tmp_path / "cache"):
        assert run_entry("train", *flags, *bound, f"--records_root_dir={root}", cwd=tmp_path).code == 0
        assert run_entry("evaluate", "--run_dir=run", "--num_episodes=2", cwd=tmp_path).code == 0
        outcome = run_entry("evaluate", "--run_dir=run", "--sources=all13", "--num_episodes=2", cwd=tmp_path)
    sources = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["sources"]
    assert list(sources) == list(MD_V2)
    assert outcome.code == 3 and all(f"{name}: missing" in outcome.out for name in ("mnist", "cifar10", "vgg_flower"))
