"""The contract of backbones; add a row in `rows.py` for every new backbone."""

import re
from contextlib import nullcontext
from functools import cache, partial

import pytest
import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.heads import PrototypeHead
from alfa_md.kernels.precision import bfloat16
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.weight_decay import decayed_parameters
from alfa_md.rules.sgd import sgd
from tests.backbones.rows import ROWS
from tests.plain import plain_path
from tests.shared import ROOT

every_backbone = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
every_name = pytest.mark.parametrize("name", ROWS)
every_order = pytest.mark.parametrize("first_order", [True, False], ids=["first order", "second order"])
HELPERS = {"__init__", "conv_block", "episodic", "image_size", "init", "sharded_batch_norm"}
FOREIGN = {"torch's encoder", "transformers' dinov2", "timm's vit", "torchvision's resnet"}


def test_every_backbone_has_a_row():
    modules = {path.stem for path in (ROOT / "alfa_md" / "backbones").glob("*.py")}
    assert modules - HELPERS == ROWS.keys() - FOREIGN


def small(row, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return row.small()


def learner_of(name: str, first_order: bool = True, **options) -> GradientLearner:
    """A Proto-MAML learner with two inner steps, in float64."""
    backbone = small(ROWS[name])
    rule = partial(sgd, inner_rate=0.01)
    return GradientLearner(backbone, PrototypeHead(), rule, num_steps=2, first_order=first_order, **options).double()


@cache
def scores_and_gradients(name: str, first_order: bool, path: str) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Scores of two episodes and the gradient of the sum of their losses: "plain", "fast" or "stacked"."""
    with plain_path() if path == "plain" else nullcontext():
        learner = learner_of(name, first_order, batching=vmapped if path == "stacked" else None)
        outcomes = learner.losses([ROWS[name].episode(seed) for seed in range(2)])
        sum(outcome.loss for outcome in outcomes).backward()
    grads = {name: parameter.grad for name, parameter in learner.named_parameters() if parameter.grad is not None}
    return [outcome.scores.detach() for outcome in outcomes], grads


def assert_equal_results(ours, theirs) -> None:
    """Asserts equality up to rounding. A bias without effect may have no gradient on one path and noise on another."""
    for mine, other in zip(ours[0], theirs[0], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-10)
    largest = max(grad.abs().max().item() for grad in theirs[1].values())
    assert largest > 0
    for name in ours[1].keys() | theirs[1].keys():
        mine, other = (grads.get(name, torch.zeros(())) for grads in (ours[1], theirs[1]))
        assert (mine - other).abs().max() <= 1e-9 * largest, name


@every_name
@every_order
def test_meta_gradients_equal_those_of_plain_operations(name, first_order):
    assert_equal_results(*(scores_and_gradients(name, first_order, path) for path in ("fast", "plain")))


@every_name
@every_order
@pytest.mark.filterwarnings("error:There is a performance drop")
def test_meta_gradients_of_stacked_tasks(name, first_order):
    assert_equal_results(*(scores_and_gradients(name, first_order, path) for path in ("stacked", "fast")))


@every_name
@pytest.mark.filterwarnings("error:There is a performance drop")
def test_scores_of_stacked_tasks_in_evaluation(name):
    episodes = [ROWS[name].episode(seed) for seed in range(2)]
    one, stacked = (learner_of(name, batching=batching).eval() for batching in (None, vmapped))
    with torch.no_grad():
        for mine, other in zip(stacked.forward_episodes(episodes), one.forward_episodes(episodes), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-10)


@every_name
def test_bfloat16_features_are_float32_and_close(name):
    learner, row = learner_of(name, precision=bfloat16).float(), ROWS[name]
    x = row.inputs(row.size, number=6)
    half, full = learner.embedding({})(x), learner.backbone(x)
    assert half.dtype == full.dtype == torch.float32
    assert 0 < (half - full).norm() < 0.05 * full.norm()
    half.square().sum().backward()
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in learner.parameters())


@every_backbone
def test_evaluation_gives_the_features_of_training_without_state(row):
    backbone = small(row).double()
    x, other = row.inputs(row.size, 4, torch.float64), row.inputs(row.size, 3, torch.float64) + 1
    trained, state = backbone.train()(x), {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with torch.no_grad():
        backbone(other)
        first, _, second = (backbone.eval()(images) for images in (x, other, x))
    torch.testing.assert_close(first, trained)
    assert torch.equal(first, second) and not first.requires_grad
    assert all(torch.equal(state[name], tensor) for name, tensor in backbone.state_dict().items())


@every_backbone
def test_one_feature_vector_per_image_and_a_gradient_for_every_tensor(row):
    backbone = small(row).double()
    features = backbone(row.inputs(row.size, 5, torch.float64))
    assert features.dim() == 2 and len(features) == 5
    features.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in backbone.parameters())
    without = {name for name, p in backbone.named_parameters() if p.grad is None or not p.grad.any()}
    assert all(name.endswith(".bias") for name in without)  # in front of a normalisation


@every_backbone
def test_decayed_tensors_are_listed(row):
    with torch.device("meta"):
        backbone = row.full()
    named = {id(parameter): name for name, parameter in backbone.named_parameters()}
    decayed = [named[id(parameter)] for parameter in decayed_parameters(backbone)]
    assert set(decayed) == row.decayed and len(decayed) == len(row.decayed)


@every_backbone
def test_numbers_of_parameters_and_features(row):
    with torch.device("meta"):
        backbone = row.full()
        assert {size: backbone(row.inputs(size).to("meta")).shape[1] for size in row.features} == row.features
    assert sum(parameter.numel() for parameter in backbone.parameters()) == row.parameters
    assert len(list(backbone.parameters())) == row.tensors


@every_backbone
def test_state_dict_round_trip(row):
    one, other = small(row), small(row, seed=1)
    x = row.inputs(row.size, 3)
    assert not torch.equal(one(x), other(x))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.refused], ids=lambda row: row.full.__name__)
def test_images_of_a_wrong_size_are_refused(row):
    with pytest.raises(UserError, match=f"^{re.escape(row.refused)}$"):
        small(row)(torch.zeros(2, 3, row.refused_size, 20))
