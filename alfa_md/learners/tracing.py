"""Traces of the inner loop on an episode: fast weights, and the hyperparameters that the update rule reports."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.inner_loop.loop import unroll
from alfa_md.inner_loop.step import Step
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner, Start
from alfa_md.params import Params
from alfa_md.rules.layerwise import NamedValues


class Trace(NamedTuple):
    """The hyperparameters of an inner loop of S steps on N tensors, on the CPU."""

    names: tuple[str, ...]  # of the tensors, in the order of the columns
    shapes: tuple[tuple[int, ...], ...]
    values: dict[str, Tensor]  # `rates`, `decays`, ... as the rule reports them -> [S, N] float64, means over entries


@torch.no_grad()
def trace(learner: Learner, episode: Episode) -> Trace | None:
    """The hyperparameters that a learner's rule reports on an episode, in the S inner steps of evaluation.

    None for a learner without inner loop, and for a rule that reports nothing. Mode, gradients and random state of the
    learner are unchanged.
    """
    if not isinstance(learner, GradientLearner):
        return None
    with evaluation_mode(learner):
        start, rule = learner.start(episode, single_task=False), learner.rule
        state, reports = rule.init(start.fast), []
        for number, step in enumerate(evaluation_steps(learner, start, episode)):
            reports.append(rule.hyperparameters(step.before, step.grads, state, number))
            state = step.state
    names = tuple(start.fast)
    kinds = reports[0] if reports else rule.hyperparameters(start.fast, start.fast, state, 0)
    values = {kind: step_means([report[kind] for report in reports], names) for kind in kinds}
    return Trace(names, tuple(tuple(tensor.shape) for tensor in start.fast.values()), values) if values else None


@torch.no_grad()
def fast_weights(learner: GradientLearner, episode: Episode) -> Iterator[Params]:
    """Yields theta_0, theta_1, ..., theta_S of the inner steps in evaluation; without gradients."""
    start = learner.start(episode, single_task=False)
    yield start.weights
    for step in evaluation_steps(learner, start, episode):
        yield {**start.constants, **step.after}


def evaluation_steps(learner: GradientLearner, start: Start, episode: Episode) -> Iterator[Step]:
    """The inner steps of a learner on an episode in evaluation."""
    num_steps, loss = learner.num_steps + learner.additional_evaluation_steps, learner.support_loss(episode)
    return unroll(start.fast, loss, learner.rule, num_steps, first_order=True, constants=start.constants)


@contextmanager
def evaluation_mode(learner: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards every module is in its previous mode again."""
    modes = [(module, module.training) for module in learner.modules()]
    learner.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def step_means(steps: Sequence[NamedValues], names: tuple[str, ...]) -> Tensor:
    """The means of values (floats, or tensors on any device) by step and tensor [S, N], in float64 on the CPU."""
    rows = [torch.stack([torch.as_tensor(step[name]).double().mean().cpu() for name in names]) for step in steps]
    return torch.stack(rows) if rows else torch.zeros(0, len(names), dtype=torch.float64)
