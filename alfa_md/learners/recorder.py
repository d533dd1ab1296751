"""Recorder of the outer loss: an episode of a tiny network as a list of operations, after it has come often enough.

In a network of some thousand weights, time goes into automatic differentiation and Python; see `kernels.fx_replay`. The
numbers are the same to the last bit, so that a run that is resumed elsewhere is the same run.
"""

from collections import Counter

import torch
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.episode import Episode
from alfa_md.flat_params import MOST
from alfa_md.inner_loop.recomputation import keep_all
from alfa_md.kernels.dispatch import in_plain_operations
from alfa_md.kernels.fx_replay import Recording
from alfa_md.kernels.precision import float32
from alfa_md.learners.base import Learner, Outcome

AFTER = 100  # episodes of a shape: a recording takes as long as some hundred of them
LIMIT = 4  # shapes


class Recorder:
    """`learner.loss(episode)` of a GradientLearner, replayed where that is `possible`."""

    def __init__(self):
        self.seen: Counter[tuple] = Counter()
        self.recordings: dict[tuple, Recording | None] = {}  # None if there is none that is equal
        self.parameters: dict[str, nn.Parameter] = {}

    def loss(self, learner: Learner, episode: Episode) -> Outcome:
        if not possible(learner, episode):
            return learner.loss(episode)
        key = circumstances(learner, episode)
        self.seen[key] += 1
        if key not in self.recordings and self.seen[key] > AFTER and len(self.recordings) < LIMIT:
            self.recordings[key] = self.record(learner, episode)
        recording = self.recordings.get(key)
        return Outcome(*recording(*self.parameters.values(), *tensors(episode))) if recording else learner.loss(episode)

    def record(self, learner: Learner, episode: Episode) -> Recording | None:
        """A recording of the loss of such episodes; None if it differs, or for a learner with accumulators."""
        if learner.accumulators():  # they work in Python
            return None
        self.parameters = {f"learner.{name}": p for name, p in learner.named_parameters() if p.requires_grad}
        names, module = list(self.parameters), Loss(learner, episode)

        def loss(*given: Tensor) -> Outcome:
            return functional_call(module, dict(zip(names, given, strict=False)), given[len(names) :])

        recording = Recording(loss, list(self.parameters.values()), tensors(episode))
        found, expected = recording(*self.parameters.values(), *tensors(episode)), learner.loss(episode)
        outcomes = [[*outcome, *self._gradients(outcome[0])] for outcome in (found, expected)]
        return recording if all(map(equal, *outcomes)) else None

    def _gradients(self, loss: Tensor) -> list[Tensor | None]:
        return torch.autograd.grad(loss, list(self.parameters.values()), allow_unused=True)

    def __deepcopy__(self, memo: dict) -> "Recorder":
        return Recorder()


class Loss(nn.Module):
    """The outer loss of a learner as a module of the tensors of an episode."""

    def __init__(self, learner: Learner, like: Episode):
        super().__init__()
        self.learner, self.like = learner, like

    def forward(self, support_x: Tensor, support_y: Tensor, query_x: Tensor, query_y: Tensor) -> Outcome:
        episode = self.like._replace(support_x=support_x, support_y=support_y, query_x=query_x, query_y=query_y)
        return self.learner.loss(episode)


def possible(learner: Learner, episode: Episode) -> bool:
    """True in training for a tiny backbone that says that its operations are the same for all values."""
    return (
        getattr(learner.backbone, "static", False)
        and learner.training
        and torch.is_grad_enabled()
        and not in_plain_operations()
        and learner.recompute is keep_all
        and learner.precision is float32
        and episode.support_x.device.type == "cpu"
        and episode.support_x.numel() <= MOST
        and not any(module._forward_hooks or module._forward_pre_hooks for module in learner.backbone.modules())
    )


def circumstances(learner: Learner, episode: Episode) -> tuple:
    """What a recording is made for: steps and order, the shapes of an episode, and the parts of the learner."""
    shapes = ((tensor.shape, tensor.dtype) for tensor in tensors(episode))
    parts = (learner.backbone, learner.head, learner.rule, learner.prepare, learner.adapts, learner.normalization)
    return learner.num_steps, learner.first_order, episode.way, *shapes, learner.objective, *map(id, parts)


def tensors(episode: Episode) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return episode.support_x, episode.support_y, episode.query_x, episode.query_y


def equal(one: Tensor | None, other: Tensor | None) -> bool:
    """True for the same bits, or if both are None."""
    return one is other if one is None or other is None else torch.equal(one, other)
