"""`constant_moments` against Meta-Dataset's arithmetic in plain PyTorch, in float64: scores and meta-gradients."""

import re
from functools import partial

import gin
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.episode import Episode
from alfa_md.experiment import config, definition
from alfa_md.heads import PrototypeHead
from alfa_md.inner_loop.recomputation import recompute_all
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.normalization import EpisodicBatchNorm, SupportMoments, constant_moments, support_moments
from alfa_md.rules.sgd import sgd
from tests.backbones.rows import ROWS
from tests.plain import plain_path

RATE, STEPS = 0.05, 2
NORMALISED = [name for name in ROWS if not re.search("mlp|vit|dinov2", name) and "torch" not in name]
every_order = pytest.mark.parametrize("first_order", [True, False], ids=["first order", "second order"])


def constant(query_portion: int | None = None) -> SupportMoments:
    return support_moments(query_portion, constant_moments)


class HandWritten(nn.Module):
    """y = (x - mean) / sqrt(E[x^2] - mean^2 + 1e-5) * scale + offset; keeps its moments, or takes them as constants."""

    def __init__(self, norm: EpisodicBatchNorm):
        super().__init__()
        self.weight, self.bias, self.kept, self.given = norm.weight, norm.bias, None, False

    def forward(self, x: Tensor) -> Tensor:
        if self.given:
            mean, var = (moment.detach() for moment in self.kept)
        else:
            mean = x.mean((0, 2, 3), keepdim=True)
            var = (x * x).mean((0, 2, 3), keepdim=True) - mean * mean
            self.kept = (mean, var)
        scale, offset = (value.reshape(1, -1, 1, 1) for value in (self.weight, self.bias))
        return (x - mean) / torch.sqrt(var + 1e-5) * scale + offset


def backbone_of(name: str) -> nn.Module:
    torch.manual_seed(0)
    return ROWS[name].small().double()


def by_hand(name: str) -> nn.Module:
    """The backbone with hand-written normalisation in place of ours, and PyTorch's layers else."""
    with plain_path():
        net = backbone_of(name)
    found = [(parent, child, m) for parent in net.modules() for child, m in parent.named_children()]
    for parent, child, module in found:
        if isinstance(module, EpisodicBatchNorm):
            setattr(parent, child, HandWritten(module))
    return net


def features(net: nn.Module, params: dict, x: Tensor, given: bool = False) -> Tensor:
    for module in net.modules():
        if isinstance(module, HandWritten):
            module.given = given
    return functional_call(net, params, (x,))


def class_means(embedded: Tensor, episode: Episode) -> Tensor:
    return torch.stack([embedded[episode.support_y == c].mean(0) for c in range(episode.way)])


def proto_maml_by_hand(net: nn.Module, episode: Episode, first_order: bool) -> Tensor:
    """Query scores of (fo-)Proto-MAML; gradients of a step are taken at copies, so that they are partial."""
    theta = dict(net.named_parameters())
    means = class_means(features(net, theta, episode.support_x), episode)
    fast = theta | {"head.weight": 2 * means, "head.bias": -(means**2).sum(1)}
    for _ in range(STEPS):
        at = {key: value.clone() for key, value in fast.items()}
        backbone = {key: value for key, value in at.items() if not key.startswith("head.")}
        scores = features(net, backbone, episode.support_x) @ at["head.weight"].T + at["head.bias"]
        loss = F.cross_entropy(scores, episode.support_y)
        grads = torch.autograd.grad(loss, list(at.values()), create_graph=True, allow_unused=True)
        grads = [torch.zeros(()) if grad is None else grad.detach() if first_order else grad for grad in grads]
        fast = {key: value - RATE * grad for (key, value), grad in zip(fast.items(), grads, strict=True)}
    backbone = {key: fast[key] for key in theta}
    features(net, backbone, episode.support_x)  # keeps the moments under the final weights
    return features(net, backbone, episode.query_x, given=True) @ fast["head.weight"].T + fast["head.bias"]


def gradients(module: nn.Module, scores: Tensor, episode: Episode) -> dict[str, Tensor]:
    module.zero_grad()
    F.cross_entropy(scores, episode.query_y).backward()
    return collected(module)


def collected(module: nn.Module) -> dict[str, Tensor]:
    named = ((name.removeprefix("backbone."), p.grad) for name, p in module.named_parameters())
    return {name: grad.clone() for name, grad in named if grad is not None}


def assert_equal(ours: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """A bias without effect may have no gradient on one side and noise on the other."""
    largest = max(grad.abs().max().item() for grad in expected.values())
    for name in ours.keys() | expected.keys():
        mine, other = (grads.get(name, torch.zeros((), dtype=torch.float64)) for grads in (ours, expected))
        assert (mine - other).abs().max() <= 1e-9 * largest, name


def proto_maml(name: str, first_order: bool, normalization=constant, **options) -> GradientLearner:
    rule = partial(sgd, inner_rate=RATE)
    options |= {"first_order": first_order, "normalization": normalization}
    return GradientLearner(backbone_of(name), PrototypeHead(), rule, num_steps=STEPS, **options).double()


@every_order
@pytest.mark.parametrize("name", NORMALISED)
def test_every_backbone_with_batch_norm(name, first_order):
    episode, net, learner = ROWS[name].episode(0), by_hand(name), proto_maml(name, first_order)
    expected, scores = proto_maml_by_hand(net, episode, first_order), learner(episode)
    torch.testing.assert_close(scores, expected, rtol=1e-9, atol=1e-9)
    ours = gradients(learner, scores, episode)
    assert_equal(ours, gradients(net, expected, episode))
    flowing = proto_maml(name, first_order, support_moments)
    torch.testing.assert_close(flowing(episode), scores, rtol=1e-12, atol=1e-12)
    other = gradients(flowing, flowing(episode), episode)
    apart = max((ours[key] - other[key]).abs().max().item() for key in ours.keys() & other.keys())
    assert apart > 1e-3 * max(grad.abs().max().item() for grad in ours.values())


FORMS = {
    "portions": {"normalization": partial(constant, 2)},
    "recomputed": {"recompute": recompute_all},
    "stacked": {"batching": vmapped},
}


@every_order
@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_the_computation(form, first_order):
    episode, name = ROWS["conv4"].episode(1), "conv4"
    learner, net = proto_maml(name, first_order, **FORMS[form]), by_hand(name)
    expected = gradients(net, proto_maml_by_hand(net, episode, first_order), episode)
    learner.losses([episode, ROWS[name].episode(2)])[0].loss.backward()
    assert_equal(collected(learner), expected)


@pytest.mark.parametrize("name", NORMALISED)
def test_prototypical_networks(name):
    episode, net, learner = ROWS[name].episode(0), by_hand(name), PrototypicalLearner(backbone_of(name), constant)
    theta = dict(net.named_parameters())
    means = class_means(features(net, theta, episode.support_x), episode)
    query = features(net, theta, episode.query_x, given=True)
    expected = torch.stack([-((query - mean) ** 2).sum(1) for mean in means], 1)
    assert_equal(gradients(learner, learner(episode), episode), gradients(net, expected, episode))


@pytest.mark.parametrize("file", ["gin/proto_maml_alfa.gin", "gin/maml.gin", "gin/prototypical.gin"])
def test_one_part_binds_it_for_every_learner(file):
    try:
        config.parse([file, "gin/quickstart.gin", "gin/parts/constant_moments.gin"])
        learner = definition.build_experiment(0).learner
    finally:
        gin.clear_config()
    assert learner.normalization.moments is constant_moments
    assert learner.stamp()["moments"] == "constant_moments" and "support moments" in learner.stamp()["batch_norm"]
