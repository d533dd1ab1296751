"""Recorder of the outer loss of tiny networks: after enough episodes of a shape, operations are recorded and replayed.

In a network of some thousand weights, most time goes into autograd and Python; see `kernels.fx_replay`. The numbers
are equal bit for bit, so a resumed run does not depend on what was recorded.
"""

from collections import Counter

import torch
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.episode import Episode
from alfa_md.flat_params import MAX_ENTRIES
from alfa_md.inner_loop.recomputation import keep_all
from alfa_md.kernels.dispatch import in_plain_operations
from alfa_md.kernels.fx_replay import Recording
from alfa_md.kernels.precision import float32
from alfa_md.learners.base import Learner, Outcome

RECORD_AFTER = 100  # episodes of a shape; recording takes as long as some hundred of them
MAX_RECORDINGS = 4


class Recorder:
    """`learner.loss(episode)` of a GradientLearner, by a recording where possible."""

    def __init__(self):
        self.counts: Counter[tuple] = Counter()
        self.recordings: dict[tuple, Recording | None] = {}  # None: not recordable bit for bit

    def loss(self, learner: Learner, episode: Episode) -> Outcome:
        if not can_record(learner, episode):
            return learner.loss(episode)
        key = recording_key(learner, episode)
        self.counts[key] += 1
        if key not in self.recordings and self.counts[key] > RECORD_AFTER and len(self.recordings) < MAX_RECORDINGS:
            self.recordings[key] = self.record(learner, episode)
        recording = self.recordings.get(key)
        return Outcome(*recording(*episode.tensors)) if recording else learner.loss(episode)

    def record(self, learner: Learner, episode: Episode) -> Recording | None:
        """A recording of the loss of episodes of this shape; None if its numbers differ, or for accumulators."""
        if learner.accumulators():  # they run Python code, which is not recorded
            return None
        learned = {f"learner.{name}": p for name, p in learner.named_parameters() if p.requires_grad}
        names, module = list(learned), LossModule(learner, episode)

        def loss(*given: Tensor) -> Outcome:
            return functional_call(module, dict(zip(names, given, strict=False)), given[len(names) :])

        recording = Recording(loss, list(learned.values()), episode.tensors)
        outcomes = recording(*episode.tensors), learner.loss(episode)
        grads = [torch.autograd.grad(loss, list(learned.values()), allow_unused=True) for loss, _ in outcomes]
        equal = (bitwise_equal(*pair) for part in (outcomes, grads) for pair in zip(*part, strict=True))
        return recording if all(equal) else None

    def __deepcopy__(self, memo: dict) -> "Recorder":
        return Recorder()


class LossModule(nn.Module):
    """The outer loss of a learner, as a module called with the tensors of an episode."""

    def __init__(self, learner: Learner, like: Episode):
        super().__init__()
        self.learner, self.like = learner, like

    def forward(self, support_x: Tensor, support_y: Tensor, query_x: Tensor, query_y: Tensor) -> Outcome:
        episode = self.like._replace(support_x=support_x, support_y=support_y, query_x=query_x, query_y=query_y)
        return self.learner.loss(episode)


def can_record(learner: Learner, episode: Episode) -> bool:
    """True in training on the CPU, for small inputs and a backbone whose operations never depend on values."""
    return (
        getattr(learner.backbone, "static", False)
        and learner.training
        and torch.is_grad_enabled()
        and not in_plain_operations()
        and learner.recompute is keep_all
        and learner.precision is float32
        and episode.support_x.device.type == "cpu"
        and episode.support_x.numel() <= MAX_ENTRIES
        and not any(module._forward_hooks or module._forward_pre_hooks for module in learner.backbone.modules())
    )


def recording_key(learner: Learner, episode: Episode) -> tuple:
    """Key of a recording: inner steps and order, shapes of the episode, parts and trained parameters of the learner."""
    shapes = ((tensor.shape, tensor.dtype) for tensor in episode.tensors)
    parts = (learner.backbone, learner.head, learner.rule, learner.prepare, learner.adapts, learner.normalization)
    trained = ((id(parameter), parameter.requires_grad) for parameter in learner.parameters())
    return learner.num_steps, learner.first_order, episode.way, *shapes, learner.objective, *map(id, parts), *trained


def bitwise_equal(one: Tensor | None, other: Tensor | None) -> bool:
    """True if both tensors are equal bit for bit, or both are None."""
    return one is other if one is None or other is None else torch.equal(one, other)
