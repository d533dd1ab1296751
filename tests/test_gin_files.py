"""Every gin file: published values, the full-size learner, two updates at small size, and the header."""

from typing import NamedTuple

import gin
import pytest
import torch

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.backbones.wide_resnet import WideResNet
from alfa_md.data.miniature import miniature_root
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.definition import META_DATASET
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.heads import PrototypeHead, ZeroHead
from alfa_md.learners.adapts import everything
from alfa_md.learners.baseline import BaselineLearner
from alfa_md.learners.classifiers import LinearClassifier, ScaledCosineClassifier
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.rules.hypers import Product, RateAndDecay
from alfa_md.training import loop
from scripts.studies import OMNIGLOT
from tests.entries.harness import TINY, needs_tensorflow
from tests.shared import ROOT

pytestmark = needs_tensorflow
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "gin").glob("*.gin"))
QUICKSTART = "gin/quickstart.gin"
LEAVES = [file for file in FILES if file != QUICKSTART]


class Tuned(NamedTuple):
    """The hyperparameters that Meta-Dataset's authors published for one learner and training set."""

    inner_rate: float
    steps: int
    extra_steps: int  # in evaluation
    learning_rate: float
    decay_every: int
    decay_rate: float
    weight_decay: float


MAML_IMAGENET = Tuned(
    0.09915203576061224, 10, 5, 0.0003601303690709516, 10000, 0.8354967819706964, 0.00030572401935585053
)
PROTO_MAML_IMAGENET = Tuned(
    0.005435022808033229, 6, 0, 0.00036339913514891586, 2500, 0.6477898086638092, 1.3656044331235537e-05
)
MAML_ALL = Tuned(0.09915203576061224, 10, 5, 0.00023702989294963628, 10000, 0.8354967819706964, 0.00030572401935585053)
PROTO_MAML_ALL = Tuned(
    0.01988024603751885, 1, 5, 0.00029809808680211807, 500, 0.7659662681067452, 0.0007159940362690606
)

IMAGENET = ("ilsvrc_2012",)
ALL = ("ilsvrc_2012", "aircraft", "cu_birds", "omniglot", "quickdraw", "vgg_flower", "dtd", "fungi")

# file -> (published values, head, is ALFA, training sources)
TABLE = {
    "gin/maml.gin": (MAML_IMAGENET, ZeroHead, False, IMAGENET),
    "gin/maml_alfa.gin": (MAML_IMAGENET, ZeroHead, True, IMAGENET),
    "gin/proto_maml.gin": (PROTO_MAML_IMAGENET, PrototypeHead, False, IMAGENET),
    "gin/proto_maml_alfa.gin": (PROTO_MAML_IMAGENET, PrototypeHead, True, IMAGENET),
    "gin/maml_all.gin": (MAML_ALL, ZeroHead, False, ALL),
    "gin/maml_alfa_all.gin": (MAML_ALL, ZeroHead, True, ALL),
    "gin/proto_maml_all.gin": (PROTO_MAML_ALL, PrototypeHead, False, ALL),
    "gin/proto_maml_alfa_all.gin": (PROTO_MAML_ALL, PrototypeHead, True, ALL),
}

# file -> (backbone, its features, classifier, image size, learning rate, weight decay); every rate is constant
PRETRAINING = {
    "gin/pretrain_imagenet_resnet.gin": (
        *(ResNet18, 512, LinearClassifier, 126),
        *(0.00375640851370052, 2.628042826116842e-05),
    ),
    "gin/pretrain_imagenet_convnet.gin": (
        *(FourLayerConvNet, 1600, ScaledCosineClassifier, 84),
        *(0.008644114436633987, 5.171477829794739e-06),
    ),
    "gin/pretrain_imagenet_wide_resnet.gin": (
        *(WideResNet, 128, ScaledCosineClassifier, 126),
        *(0.007084776688116927, 5.078192976503067e-06),
    ),
}
FACTORS = 2 * (1 + 3 * 4)  # of the patches, and of four matrices a block
VIT = {"gin/vit_alfa_lora.gin": FACTORS, "gin/vit_alfa_head.gin": 0, "gin/pretrain_imagenet_vit.gin": None}
UNTUNED = {"gin/prototypical.gin", "gin/omniglot_proto_maml_alfa.gin", QUICKSTART}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def built(*files: str, bindings=()) -> definition.Experiment:
    config.parse(files, bindings)
    return definition.build_experiment(0)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def trainer(name: str):
    return gin.query_parameter(f"train.{name}")


def step_decay() -> tuple[int, float]:
    """Every how many updates the rate falls, and to what part of it."""
    assert str(trainer("schedule")) == "@step_decay"
    return gin.query_parameter("step_decay.decay_every"), gin.query_parameter("step_decay.decay_rate")


def check_official_data(made: definition.Experiment, train_sources: tuple[str, ...], image_size: int) -> None:
    """Variable ways and shots within the benchmark's bounds, images of `image_size`, the ten sources in their order."""
    assert made.train_sources == train_sources
    assert made.validation_sources == ("ilsvrc_2012",)
    assert made.test_sources == META_DATASET
    for sampling in (made.sampling, made.train_sampling):
        assert (sampling.num_ways, sampling.num_support, sampling.num_query) == (None, None, None)
        assert (sampling.min_ways, sampling.max_ways_upper_bound, sampling.max_num_query) == (5, 50, 10)
        assert (sampling.max_support_set_size, sampling.max_support_size_contrib_per_class) == (500, 100)
    source = made.evaluation(miniature_root(), "ilsvrc_2012", "valid", seed=0)
    assert source.stamp()["image_size"] == image_size


def check_official_schedule() -> None:
    """75 000 updates of one episode, 600 validation episodes every 500 updates."""
    assert trainer("num_updates") == 75000 and trainer("episodes_per_step") == 1
    assert trainer("validate_every") == 500 and trainer("num_validation_episodes") == 600


def test_the_table_is_complete():
    assert set(TABLE) | set(PRETRAINING) | set(VIT) | UNTUNED == set(FILES)


@pytest.mark.parametrize("file", TABLE)
def test_tuned_files_hold_the_published_values_and_build_the_full_size_learner(file):
    tuned, head, is_alfa, sources = TABLE[file]
    made = built(file)
    learner = made.learner
    assert isinstance(learner, GradientLearner) and isinstance(learner.backbone, ResNet18)
    assert isinstance(learner.head, head) and not list(learner.head.parameters())
    assert (learner.num_steps, learner.additional_evaluation_steps) == (tuned.steps, tuned.extra_steps)
    assert learner.first_order and learner.adapts is everything
    assert count(learner.backbone) == 11_180_736
    check_rule(learner, tuned, is_alfa)
    check_official_data(made, sources, image_size=126)
    check_official_schedule()
    assert trainer("learning_rate") == tuned.learning_rate and trainer("weight_decay") == tuned.weight_decay
    assert step_decay() == (tuned.decay_every, tuned.decay_rate)


def check_rule(learner: GradientLearner, tuned: Tuned, is_alfa: bool) -> None:
    """SGD at the tuned rate, or ALFA whose A starts there and whose B starts at 5e-6, for 63 + 2 tensors."""
    hypers = learner.rule.hypers
    if not is_alfa:
        assert isinstance(hypers, RateAndDecay) and (hypers.lr.value, hypers.decay.value) == (tuned.inner_rate, 0.0)
        assert count(learner) == count(learner.backbone)
        return
    assert isinstance(hypers, Product)
    scales, tensors = hypers.second, 65
    assert torch.equal(scales.lr.values, torch.full((tuned.steps, tensors), tuned.inner_rate))
    assert torch.equal(scales.decay.values, torch.full((tuned.steps, tensors), 5e-6))
    width = 2 * tensors
    assert count(hypers.first) == 2 * (width * width + width)
    last = hypers.first.generator.network[-1]
    assert not last.weight.any() and torch.equal(last.bias, torch.ones(width))  # starts as the base learner
    assert count(learner) == count(learner.backbone) + count(hypers.first) + 2 * tuned.steps * tensors


def test_prototypical_networks_on_the_full_size_backbone():
    made = built("gin/prototypical.gin")
    assert isinstance(made.learner, PrototypicalLearner) and isinstance(made.learner.backbone, ResNet18)
    assert count(made.learner) == 11_180_736
    check_official_data(made, IMAGENET, image_size=126)
    check_official_schedule()


@pytest.mark.parametrize("file", PRETRAINING)
def test_pretraining_files_hold_the_published_values_and_build_the_full_size_learner(file):
    backbone, features, classifier, image_size, learning_rate, weight_decay = PRETRAINING[file]
    made = built(file)
    learner = made.learner
    assert isinstance(learner, BaselineLearner) and learner.distance.__name__ == "cosine"
    assert isinstance(learner.backbone, backbone) and isinstance(learner.classifier, classifier)
    assert learner.classifier.weight.shape == (712, features)
    with torch.no_grad():
        assert learner.backbone(torch.zeros(2, 3, image_size, image_size)).shape == (2, features)
    check_official_data(made, IMAGENET, image_size)
    stamp = made.training(miniature_root(), seed=0).stamp()
    assert (stamp["batch_size"], stamp["image_size"]) == (256, image_size)
    assert (trainer("learning_rate"), trainer("weight_decay")) == (learning_rate, weight_decay)
    assert trainer("num_updates") == 50000 and trainer("episodes_per_step") == 1
    assert trainer("validate_every") == 500 and trainer("num_validation_episodes") == 600
    assert str(trainer("schedule")) == "@flat"


@pytest.mark.parametrize("file", [file for file, factors in VIT.items() if factors is not None])
def test_alfa_on_a_part_of_the_vision_transformer(file):
    learner = built(file).learner
    assert isinstance(learner.backbone, VitTiny) and isinstance(learner.head, PrototypeHead) and learner.first_order
    tensors, steps = VIT[file] + 2, learner.num_steps
    assert len(learner.template()) == tensors and isinstance(learner.rule.hypers, Product)
    assert learner.rule.hypers.second.lr.values.shape == (steps, tensors)
    assert not any(parameter.requires_grad for parameter in learner.backbone.parameters())
    assert sum(parameter.requires_grad for parameter in learner.factors.parameters()) == VIT[file]
    assert gin.query_parameter("PRETRAINED/macro.value") == "gin/pretrain_imagenet_vit.gin"


def test_the_pretraining_of_the_vision_transformer():
    learner = built("gin/pretrain_imagenet_vit.gin").learner
    assert isinstance(learner, BaselineLearner) and isinstance(learner.backbone, VitTiny)
    assert learner.classifier.weight.shape == (712, 64) and str(trainer("schedule")) == "@cosine_decay"


def test_a_pretraining_by_the_official_reader():
    config.parse(["gin/pretrain_imagenet_resnet.gin", "gin/parts/official_pretraining.gin"])
    bound = {name: str(gin.query_parameter(name)) for name in ("Experiment.batches", "official_batches.image_size")}
    assert bound == {"Experiment.batches": "@official_batches", "official_batches.image_size": "%IMAGE_SIZE"}
    assert str(gin.query_parameter("%reader")) == "@official"


def test_omniglot_on_the_four_layer_network():
    made = built("gin/omniglot_proto_maml_alfa.gin")
    assert made.train_sources == made.validation_sources == made.test_sources == ("omniglot",)
    assert isinstance(made.learner.head, PrototypeHead) and isinstance(made.learner.backbone, FourLayerConvNet)
    assert count(made.learner.backbone) == 3 * 64 * 9 + 3 * 64 * 64 * 9 + 4 * 2 * 64
    assert made.sampling.max_ways_upper_bound == 50 and not made.sampling.ignore_bilevel_ontology
    assert made.train_sampling.max_ways_upper_bound == 20
    assert isinstance(made.learner.rule.hypers, Product)
    for binding in OMNIGLOT.variants["ALFA-long"].bindings:  # what is shipped is what was measured
        name, value = binding.split(" = ")
        assert gin.query_parameter(name) == int(value)


@pytest.mark.parametrize("file", LEAVES)
def test_two_small_steps_then_the_saved_configuration_builds_the_same(file, tmp_path):
    root, run = miniature_root(), RunDirectory(tmp_path / "run")
    facts = {"name": "tiny", "seed": 0, "data_root": str(root), "data_kind": "miniature"}
    small_batches = ("batches.batch_size = 8", "NUM_FEATURES = 4") if "pretrain" in file else ()
    before = built(file, QUICKSTART, bindings=(*TINY, *small_batches))
    state = loop.train(before, run, root, facts, torch.device("cpu"))
    assert state.step == load_checkpoint(run.last)["step"] == 2
    assert isinstance(state.learner.backbone, FourLayerConvNet)
    saved = run.config.read_text()

    again = built(str(run.config))
    assert type(again.learner) is type(before.learner)
    assert (again.train_sources, again.sampling) == (before.train_sources, before.sampling)
    loop.train(again, run, root, facts, torch.device("cpu"))  # all updates are done, so nothing is trained
    assert config.operative() == saved
    assert config.differences(saved, config.operative()) == []


def test_quickstart_is_small_everything():
    made = built("gin/proto_maml_alfa.gin", QUICKSTART)
    learner = made.learner
    assert count(learner.backbone) == 3 * 32 * 9 + 3 * 32 * 32 * 9 + 4 * 2 * 32
    assert gin.query_parameter("IMAGE_SIZE/macro.value") <= 32
    assert (learner.num_steps, learner.additional_evaluation_steps) == (3, 0)
    for sampling in (made.sampling, made.train_sampling):
        assert sampling.max_ways_upper_bound <= 10 and sampling.max_support_set_size <= 100
    assert trainer("num_updates") <= 400


def test_prototypical_has_the_published_tuning():
    assert built("gin/prototypical.gin").learner.backbone.__class__.__name__ == "ResNet18"
    assert (trainer("learning_rate"), trainer("weight_decay")) == (0.0012064626897259694, 0.0000885787420909229)
    assert step_decay() == (500, 0.915193802145601)
