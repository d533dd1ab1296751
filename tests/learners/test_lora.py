"""LoRA: its forward pass, what it adapts and what it leaves, meta-gradients by plain autograd, bad sizes."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, PrototypeHead
from alfa_md.inner_loop.recomputation import recompute_all
from alfa_md.kernels.dispatch import double_backward
from alfa_md.kernels.precision import bfloat16, float32
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.initialization import frozen, learned_if_adapted
from alfa_md.learners.lora import lora
from alfa_md.rules.sgd import sgd
from tests.backbones.rows import TorchEncoder
from tests.episodes import meta_gradients, random_episode, small_learner

BACKBONES = {
    "vit_tiny": (partial(VitTiny, image_size=8, patch_size=4, width=8, depth=2, num_heads=2), 8),
    "conv4": (partial(Conv4, num_filters=4), 16),
    "torch's encoder": (TorchEncoder, 8),
}
MATRICES = {"vit_tiny": 9, "conv4": 4, "torch's encoder": 9}
every_backbone = pytest.mark.parametrize("name", BACKBONES)


def learner_of(name="vit_tiny", adapts=None, **options):
    """A learner whose factors B, and ALFA's generated values, are no longer what they start as."""
    torch.manual_seed(0)
    learner = small_learner(backbone=BACKBONES[name][0](), adapts=adapts or lora(2, 3.0), **options)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for path, parameter in learner.named_parameters():
            if path.endswith((".B", "network.2.weight")):
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return learner


def episode_of(name="vit_tiny", seed=0):
    return random_episode(size=BACKBONES[name][1], seed=seed)


def test_the_forward_pass_is_that_of_the_factors_beside_each_layer():
    """x W^T + b + (alpha / r) (x A^T) B^T in every linear layer, by hooks; and the backbone's own with B = 0."""
    learner = learner_of(adapts=lora(2, 3.0, "qkv|mlp"))
    x, backbone, factors = episode_of().support_x, learner.backbone, dict(learner.factors.named_parameters())
    layers = {path: layer for path, layer in backbone.named_modules() if f"{path}.weight.A" in factors}
    assert len(layers) == len(factors) / 2 == 6 and all(isinstance(layer, nn.Linear) for layer in layers.values())

    def beside(path):
        a, b = factors[f"{path}.weight.A"], factors[f"{path}.weight.B"]
        return lambda layer, args, out: out + 3.0 / 2 * F.linear(F.linear(args[0], a), b)

    merged, plain = learner.embedding({})(x), backbone(x)
    hooks = [layer.register_forward_hook(beside(path)) for path, layer in layers.items()]
    torch.testing.assert_close(merged, backbone(x), rtol=1e-12, atol=1e-12)
    assert not torch.allclose(merged, plain)
    for hook in hooks:
        hook.remove()
    fresh = small_learner(backbone=backbone, adapts=lora(2))
    assert torch.equal(fresh.embedding({})(x), backbone(x))


@every_backbone
def test_nothing_outside_the_part_changes(name):
    learner, episode = learner_of(name), episode_of(name)
    before = {path: tensor.clone() for path, tensor in learner.state_dict().items()}
    start, fast = learner.initial(episode), learner.adapted(episode)
    factors = {f"factors.{path}" for path, _ in learner.factors.named_parameters()}
    assert len(factors) == 2 * MATRICES[name]
    assert fast.keys() == factors | {"head.weight", "head.bias"} == set(learner.template())
    assert all(not torch.equal(fast[path], start[path]) for path in fast)
    assert all(torch.equal(tensor, before[path]) for path, tensor in learner.state_dict().items())


@every_backbone
def test_alfa_generates_a_rate_and_a_decay_for_exactly_these_tensors(name):
    learner, tensors = learner_of(name), 2 * MATRICES[name] + 2
    hypers = learner.rule.hypers
    assert hypers.first.generator.network[-1].out_features == 2 * tensors
    assert hypers.second.lr.values.shape == hypers.second.decay.values.shape == (2, tensors)
    start = learner.start(episode_of(name), single_task=False)
    (step, *_) = learner.inner_steps(start, learner.support_loss(episode_of(name)), learner.rule, 1)
    named = learner.rule.hyperparameters(step.before, step.grads, learner.rule.init(step.before), 0)
    assert list(named["rates"]) == list(named["decays"]) == list(learner.template())


@pytest.mark.parametrize("first_order", [True, False])
def test_meta_gradients_equal_plain_autograd(first_order):
    """Gradient descent on the factors and a learned head, written out with weights that are merged by hand."""
    rate, episode = 0.1, episode_of()
    options = {"rule": partial(sgd, inner_rate=rate), "head": LearnedHead(8, 4), "first_order": first_order}
    learner = learner_of(adapts=lora(2, 3.0), **options)
    backbone, factors = learner.backbone, dict(learner.factors.named_parameters())
    fast = factors | {"w": learner.head.weight[: episode.way], "b": learner.head.bias[: episode.way]}

    def loss(fast, x, y):
        weights = dict(backbone.named_parameters())
        for path in {path[:-2] for path in factors}:
            change = 3.0 / 2 * torch.einsum("ri,or->oi", fast[f"{path}.A"], fast[f"{path}.B"])
            weights[path] = weights[path] + change.view_as(weights[path])
        features = torch.func.functional_call(backbone, weights, (x,))
        return F.cross_entropy(F.linear(features, fast["w"], fast["b"]), y)

    with double_backward():
        for _ in range(2):
            inner = loss(fast, episode.support_x, episode.support_y)
            grads = torch.autograd.grad(inner, list(fast.values()), create_graph=not first_order)
            fast = {path: fast[path] - rate * grad for path, grad in zip(fast, grads, strict=True)}
        loss(fast, episode.query_x, episode.query_y).backward()
    expected = {path: p.grad.clone() for path, p in learner.named_parameters() if p.grad is not None}
    assert any(path.startswith("backbone.") for path in expected) and "factors.blocks.0.qkv.weight.A" in expected
    assert_equal(expected, meta_gradients(learner, episode))


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("head", [PrototypeHead, partial(LearnedHead, 8, 4)], ids=["prototypes", "learned"])
def test_stacked_tasks_and_recomputed_steps_have_the_same_meta_gradients(first_order, head):
    episodes, found = [episode_of(seed=seed) for seed in range(2)], []
    for how in ({}, {"batching": vmapped}, {"recompute": recompute_all}):
        learner = learner_of(head=head(), first_order=first_order, **how)
        sum(outcome.loss for outcome in learner.losses(episodes)).backward()
        found.append({path: p.grad for path, p in learner.named_parameters() if p.grad is not None})
    assert_equal(found[0], found[1])
    assert_equal(found[0], found[2])


def assert_equal(expected, found):
    assert expected.keys() == found.keys()
    for path, value in expected.items():
        torch.testing.assert_close(found[path], value, rtol=1e-9, atol=1e-11, msg=path)


def test_matrices_that_the_inner_loop_leaves_can_keep_their_values_in_the_outer_loop_too():
    learner = learner_of(initialization=learned_if_adapted)
    learned = {path for path, p in learner.named_parameters() if p.requires_grad}
    assert learned and all(path.startswith(("factors.", "rule.")) for path in learned)
    assert meta_gradients(learner, episode_of()).keys() == learned
    kept = learner_of(initialization=frozen)
    assert all(path.startswith("rule.") for path, p in kept.named_parameters() if p.requires_grad)


def test_factors_start_from_the_seed_and_at_no_change():
    first, again = (dict(small_learner(adapts=lora(2)).factors.named_parameters()) for _ in range(2))
    assert first and all(torch.equal(first[path], again[path]) for path in first)
    for path, tensor in first.items():
        assert bool(tensor.any()) == path.endswith(".A"), path


def test_bfloat16_gives_float32_features_near_those_of_float32():
    exact, half = (learner_of(precision=precision).float() for precision in (float32, bfloat16))
    x = episode_of().support_x.float()
    expected, found = (learner.embedding({})(x) for learner in (exact, half))
    assert found.dtype == torch.float32 and not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)


def test_the_stamp_names_it():
    assert learner_of().stamp()["adapts"] == "lora(rank 2, alpha 3)"
    assert learner_of(adapts=lora(1, 2.0, "qkv")).stamp()["adapts"] == "lora(rank 1, alpha 2) of 'qkv'"


def test_choices_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="^lora.pattern = 'layer9' is in the name of no weight matrix of VitTiny"):
        learner_of(adapts=lora(2, pattern="layer9"))
    with pytest.raises(UserError, match="^lora.rank = 9 is above the rank 8 of patches.weight of VitTiny; lower it"):
        learner_of(adapts=lora(9))
    with pytest.raises(UserError, match="lora.rank = 0 must be at least 1"):
        lora(0)
