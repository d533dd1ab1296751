"""One meta-update against plain arithmetic."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.training.schedules import step_decay
from alfa_md.training.step import clip_gradients, outer_step, parameter_groups
from tests.episodes import meta_gradients, meta_loss, random_episode, small_convnet, small_learner
from tests.noise import fresh_state, noise_learner


def kernels(learner) -> set[str]:
    return {name for name, parameter in learner.named_parameters() if parameter.dim() == 4}


def test_weight_decay_is_a_sum_of_squares_in_the_loss():
    """Adam with twice the weight decay on conv weights equals Adam on loss + wd * sum(w^2)."""
    wd = 0.3
    learner, plain = small_learner(), small_learner()
    state, adam = fresh_state(learner, wd), torch.optim.Adam(plain.parameters(), lr=0.01)
    for seed in range(4):
        outer_step(state, [random_episode(seed=seed)], clip_norm=math.inf)
        penalty = sum(plain.get_parameter(name).square().sum() for name in kernels(plain))
        adam.zero_grad()
        (meta_loss(plain, random_episode(seed=seed)) + wd * penalty).backward()
        adam.step()
    for name, parameter in learner.named_parameters():
        torch.testing.assert_close(parameter, plain.get_parameter(name), rtol=1e-9, atol=1e-12)
    without = fresh_state(small_learner())
    outer_step(without, [random_episode(seed=0)], clip_norm=math.inf)
    assert not torch.allclose(without.learner.backbone[0].weight, learner.backbone[0].weight)


def test_weight_decay_alone_moves_nothing_but_kernels():
    learner = small_learner(backbone=small_convnet())
    before = {name: parameter.detach().clone() for name, parameter in learner.named_parameters()}
    optimizer = torch.optim.Adam(parameter_groups(learner, 0.1), lr=0.01)
    for parameter in learner.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    moved = {name for name, parameter in learner.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == kernels(learner) and len(moved) == 4
    assert {
        "rule.hypers.second.lr.values",
        "rule.hypers.first.generator.network.0.weight",
        "backbone.layers.0.1.bias",
    } < before.keys()


def test_the_rate_falls_in_stairs():
    state = fresh_state(noise_learner(num_steps=1), schedule=partial(step_decay, decay_every=3, decay_rate=0.5))
    for t in range(8):
        for group in state.optimizer.param_groups:
            assert group["lr"] == pytest.approx(0.01 * 0.5 ** (t // 3), rel=1e-12)
        outer_step(state, [random_episode(seed=t, dtype=torch.float32)], clip_norm=10.0)
    assert state.step == 8 and len(state.optimizer.param_groups) == 2


def test_gradients_are_averaged_over_the_episodes_of_a_step():
    episodes = [random_episode(seed=seed) for seed in range(3)]
    singles = [meta_gradients(small_learner(), episode) for episode in episodes]
    state = fresh_state(small_learner())
    loss, score, norm = outer_step(state, episodes, clip_norm=math.inf)
    assert norm == pytest.approx(torch.cat([p.grad.flatten() for p in state.learner.parameters()]).norm().item())
    for name, parameter in state.learner.named_parameters():
        mean = sum(single[name] for single in singles) / 3
        torch.testing.assert_close(parameter.grad, mean, rtol=1e-10, atol=1e-14)
    losses = [meta_loss(small_learner(), episode).item() for episode in episodes]
    assert loss == pytest.approx(sum(losses) / 3, rel=1e-12) and 0 <= score <= 1


def test_clipping_keeps_the_direction_and_limits_the_norm():
    free, clip_gradients = fresh_state(small_learner()), fresh_state(small_learner())
    outer_step(free, [random_episode()], clip_norm=math.inf)
    outer_step(clip_gradients, [random_episode()], clip_norm=0.01)
    gradients = [torch.cat([p.grad.flatten() for p in s.learner.parameters()]) for s in (free, clip_gradients)]
    assert gradients[0].norm() > 0.02 and gradients[1].norm().item() == pytest.approx(0.01, rel=1e-3)
    assert torch.cosine_similarity(*gradients, dim=0) > 1 - 1e-9


def frozen_backbone() -> Learner:
    """A learner with a frozen backbone."""
    learner = small_learner()
    learner.backbone.requires_grad_(False)
    return learner


def test_frozen_parameters_stay_and_count_in_no_norm():
    learner, whole = frozen_backbone(), fresh_state(small_learner())
    before = {name: parameter.detach().clone() for name, parameter in learner.named_parameters()}
    state = fresh_state(learner, weight_decay=0.1)
    optimized = [parameter for group in state.optimizer.param_groups for parameter in group["params"]]
    assert {id(p) for p in optimized} == {id(p) for p in learner.rule.parameters()}
    outer_step(state, [random_episode()], clip_norm=math.inf)
    outer_step(whole, [random_episode()], clip_norm=math.inf)
    moved = {name for name, parameter in learner.named_parameters() if not torch.equal(parameter, before[name])}
    assert "rule.hypers.second.lr.values" in moved and all(name.startswith("rule.") for name in moved)
    for name, parameter in learner.rule.named_parameters():
        whole_gradient = whole.learner.rule.get_parameter(name).grad
        torch.testing.assert_close(parameter.grad, whole_gradient, rtol=1e-10, atol=1e-14)
    clip_gradients = fresh_state(frozen_backbone())
    outer_step(clip_gradients, [random_episode()], clip_norm=1e-4)
    norm = torch.cat([p.grad.flatten() for p in clip_gradients.learner.rule.parameters()]).norm()
    assert norm.item() == pytest.approx(1e-4, rel=1e-2)


def test_a_parameter_without_a_gradient_is_not_updated():
    learner = small_learner()
    learner.spare = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    outer_step(fresh_state(learner, weight_decay=0.1), [random_episode()], clip_norm=10.0)
    assert learner.spare.grad is None and torch.equal(learner.spare, torch.ones(3, dtype=torch.float64))


def test_a_loss_that_nothing_trained_acts_on_is_refused():
    learner = small_learner()
    learner.requires_grad_(False)
    learner.spare = torch.nn.Parameter(torch.ones(3))
    with pytest.raises(UserError, match="the loss of GradientLearner depends on nothing that is trained"):
        outer_step(fresh_state(learner), [random_episode()], clip_norm=10.0)


def together() -> tuple[Learner, list[int]]:
    """A learner that batches episodes and records the batch sizes."""
    taken = []

    def batching(learner, episodes):
        taken.append(len(episodes))
        return [learner(episode) for episode in episodes]

    return small_learner(batching=batching), taken


def test_episodes_taken_together_give_the_same_update():
    episodes, (learner, taken) = [random_episode(seed=seed) for seed in range(3)], together()
    one, other = fresh_state(small_learner(), weight_decay=0.1), fresh_state(learner, weight_decay=0.1)
    for _ in range(2):
        a, b = (outer_step(state, episodes, clip_norm=10.0) for state in (one, other))
        assert a == pytest.approx(b, rel=1e-12)
    assert taken == [3, 3]
    for name, parameter in one.learner.named_parameters():
        torch.testing.assert_close(parameter, learner.get_parameter(name), rtol=1e-9, atol=1e-12)


def test_of_episodes_taken_together_the_one_that_is_not_finite_is_named():
    episodes = [random_episode(seed=seed) for seed in range(3)]
    episodes[1] = episodes[1]._replace(query_x=episodes[1].query_x / 0)
    with pytest.raises(UserError, match="non-finite loss at update 1 on noise train episode 0 of seed 1; checkpoints"):
        outer_step(fresh_state(together()[0]), episodes, clip_norm=10.0)


class Cliff(Learner):
    """A finite loss with a non-finite gradient: the square root of zero."""

    def __init__(self):
        super().__init__()
        self.zero = torch.nn.Parameter(torch.zeros(()))

    def forward(self, episode):
        return self.zero.sqrt() * torch.ones(len(episode.query_y), episode.way).cumsum(1)


def test_a_non_finite_gradient_moves_nothing_and_names_every_episode_in_it():
    state = fresh_state(Cliff())
    with pytest.raises(UserError, match="non-finite gradient at update 1 on .*episode 0 of seed 7.*of seed 8"):
        outer_step(state, [random_episode(seed=7), random_episode(seed=8)], clip_norm=10.0)
    assert state.learner.zero == 0 and state.step == 0


def test_finite_gradients_whose_squares_overflow_are_clipped():
    parameters = [nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))]
    for parameter, grad in zip(parameters, (torch.tensor([3e25, 0.0, 0.0]), torch.tensor([0.0, 4e25])), strict=True):
        parameter.grad = grad
    assert clip_gradients(parameters, 10.0) == pytest.approx(5e25)
    torch.testing.assert_close(parameters[0].grad, torch.tensor([6.0, 0.0, 0.0]))
    torch.testing.assert_close(parameters[1].grad, torch.tensor([0.0, 8.0]))
    parameters[0].grad[1] = torch.inf
    assert not math.isfinite(clip_gradients(parameters, 10.0))
