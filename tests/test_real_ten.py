"""Ten sources of real images: the gin files, and the study and its variants."""

import gin
import pytest

from alfa_md.experiment import config, definition
from alfa_md.experiment.definition import META_DATASET
from alfa_md.heads import PrototypeHead, ZeroHead
from alfa_md.learners.baseline import BaselineLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.granularities import PerStepPerLayer
from alfa_md.rules.hypers import Product, RateAndDecay
from alfa_md.rules.per_channel import PerStepPerChannel
from scripts.real_ten_study import BASES, FOLDER, METHODS, REAL_TEN, TITLES
from tests.shared import ROOT

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / FOLDER).glob("*.gin"))
LEAVES = [file for file in FILES if not file.endswith("/all.gin")]
HEADS = {"maml": ZeroHead, "proto_maml": PrototypeHead}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def built(*files: str) -> definition.Experiment:
    config.parse(files, [])
    return definition.build_experiment(0)


def trainer(name: str) -> object:
    return gin.query_parameter(f"train.{name}")


@pytest.mark.parametrize("file", LEAVES)
def test_every_file_has_the_same_limits_sizes_and_header(file):
    made = built(file)
    for sampling in (made.sampling, made.train_sampling):
        assert (sampling.num_ways, sampling.num_support, sampling.num_query) == (None, None, None)
        assert (sampling.min_ways, sampling.max_ways_upper_bound, sampling.max_support_set_size) == (5, 10, 100)
    assert (made.train_sources, made.validation_sources) == (("ilsvrc_2012",), ("ilsvrc_2012",))
    assert made.test_sources == META_DATASET
    assert sum(p.numel() for p in made.learner.backbone.parameters()) == 3 * 64 * 9 + 3 * 64 * 64 * 9 + 4 * 2 * 64
    assert trainer("learning_rate") == 0.001 and trainer("num_updates") >= 3000
    pretraining = file.endswith("pretrain.gin")
    assert made.pretrained == (None if pretraining else f"{FOLDER}/pretrain.gin")
    text = (ROOT / file).read_text()
    assert f"# Command: python -m alfa_md.train --gin_config={file} --records_root_dir=RECORDS\n" in text
    assert "RESULTS.md" in text and len([line for line in text.splitlines() if " = " in line]) <= 10


@pytest.mark.parametrize("base", HEADS)
def test_methods_differ_in_their_rule_alone(base):
    plain = built(f"{FOLDER}/{base}.gin").learner
    assert isinstance(plain.head, HEADS[base]) and plain.first_order
    assert isinstance(plain.rule.hypers, RateAndDecay) and not list(plain.rule.parameters())
    rules = {}
    for method in METHODS:
        learner = built(f"{FOLDER}/{base}_{method.replace('-', '_')}.gin").learner
        assert isinstance(learner.head, HEADS[base]) and learner.num_steps == plain.num_steps
        assert isinstance(learner.prepare, Attenuate) == (method == "alfa-l2f")
        rules[method] = learner.rule.hypers
    assert isinstance(rules["control"], RateAndDecay) and isinstance(rules["control"].lr, PerStepPerLayer)
    for method in ("alfa", "alfa-l2f", "alfa-per-channel"):
        kind = PerStepPerChannel if method == "alfa-per-channel" else PerStepPerLayer
        assert isinstance(rules[method], Product) and isinstance(rules[method].second.lr, kind)


def test_the_other_learners():
    assert isinstance(built(f"{FOLDER}/prototypical.gin").learner, PrototypicalLearner)
    pretraining = built(f"{FOLDER}/pretrain.gin").learner
    assert isinstance(pretraining, BaselineLearner) and pretraining.classifier.num_classes == 62


def test_five_sources_change_the_training_alone():
    before, after = built(f"{FOLDER}/maml.gin"), built(f"{FOLDER}/maml.gin", f"{FOLDER}/all.gin")
    assert after.train_sources == ("ilsvrc_2012", "omniglot", "cu_birds", "fungi", "vgg_flower")
    for part in ("validation_sources", "test_sources", "sampling", "train_sampling", "pretrained"):
        assert getattr(after, part) == getattr(before, part)


def test_every_file_is_measured_at_the_same_length_and_outer_rate():
    assert {variant.config for variant in REAL_TEN.variants.values()} == {*LEAVES}
    assert list(REAL_TEN.variants) == [name for name in REAL_TEN.variants if name in TITLES]
    for name, variant in REAL_TEN.variants.items():
        assert not any(binding.startswith("train.") for binding in variant.bindings)
        assert variant.like in ("", name.removesuffix(next((f"-{m}" for m in METHODS if name.endswith(f"-{m}")), "")))
        assert bool(variant.grid) == (name.removeprefix("scratch-").removeprefix("all-") in BASES)
