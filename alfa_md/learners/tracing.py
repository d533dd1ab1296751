"""The inner loop of a learner watched on one episode: its fast weights, and the rates and decays it multiplied with."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.inner_loop.loop import unroll
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner
from alfa_md.params import Params
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.alfa import Generated
from alfa_md.rules.base import Hypers, UpdateRule
from alfa_md.rules.hypers import Product


class Table(NamedTuple):
    """Numbers of one inner loop, on the CPU; what differs between the entries of a tensor counts by its mean."""

    rates: Tensor  # [S, N] float64
    decays: Tensor  # [S, N] float64


class Trace(NamedTuple):
    """The hyperparameters of one inner loop of S steps on N tensors."""

    names: tuple[str, ...]  # of the tensors, in the order of the columns
    shapes: tuple[tuple[int, ...], ...]
    effective: Table  # alpha and 1 - beta, which the update multiplies with
    generated: Table | None = None  # ALFA's generator: its raw outputs a and d
    multipliers: Table | None = None  # ALFA's post-multipliers A and B


@torch.no_grad()
def trace(learner: Learner, episode: Episode) -> Trace | None:
    """What a learner's rule multiplies with on an episode, in the S inner steps of evaluation.

    None for a learner without inner loop, and for a rule other than `AffineUpdate`. The learner's mode, gradients and
    random numbers stay as they are.
    """
    if not (isinstance(learner, GradientLearner) and isinstance(learner.rule, AffineUpdate)):
        return None
    rule = learner.rule.for_task()
    with ExitStack() as stack:
        seen = [stack.enter_context(recorded(part)) for part in (rule.hypers, *factors(rule))]
        stack.enter_context(evaluating(learner))
        for theta in fast_weights(learner, episode, rule):
            names, shapes = tuple(theta), tuple(tuple(tensor.shape) for tensor in theta.values())
    return Trace(names, shapes, *(table(outputs, names) for outputs in seen))


@torch.no_grad()
def fast_weights(learner: GradientLearner, episode: Episode, rule: UpdateRule | None = None) -> Iterator[Params]:
    """theta_0, theta_1, ..., theta_S of the steps that a learner takes in evaluation; no gradients between them.

    `rule` stands in for the learner's own, at the start of a task.
    """
    theta, rule = learner.initial(episode), rule or learner.rule.for_task()
    yield theta
    num_steps = learner.num_steps + learner.additional_evaluation_steps
    for step in unroll(theta, learner.support_loss(episode), rule, num_steps, first_order=True):
        yield step.after


def factors(rule: AffineUpdate) -> tuple[nn.Module, ...]:
    """Generator and post-multipliers of ALFA's product; nothing for another rule."""
    products = (part for part in rule.hypers.modules() if isinstance(part, Product))
    return next(((part.first, part.second) for part in products if isinstance(part.first, Generated)), ())


@contextmanager
def recorded(module: nn.Module) -> Iterator[list]:
    """What the calls of a module give within the block, in order."""
    outputs: list = []
    hook = module.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        yield outputs
    finally:
        hook.remove()


@contextmanager
def evaluating(learner: nn.Module) -> Iterator[None]:
    """Evaluation mode, in which no layer draws random numbers; afterwards every module is in its own mode again."""
    modes = [(module, module.training) for module in learner.modules()]
    learner.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def table(steps: list[Hypers], names: tuple[str, ...]) -> Table:
    """The hyperparameters of S steps."""
    return Table(numbers([step.lr for step in steps], names), numbers([step.decay for step in steps], names))


def numbers(steps: list[dict], names: tuple[str, ...]) -> Tensor:
    """One number a step and tensor [S, N], of values that are floats or tensors on any device."""
    rows = [torch.stack([torch.as_tensor(step[name]).double().mean().cpu() for name in names]) for step in steps]
    return torch.stack(rows) if rows else torch.zeros(0, len(names), dtype=torch.float64)
