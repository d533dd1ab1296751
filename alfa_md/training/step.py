"""One meta-update: gradients averaged over a batch of episodes, clipped, then an optimiser step."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.out_of_memory import explain_out_of_memory
from alfa_md.learners.base import Learner
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup

UNTRAINED_REMEDY = "train.num_updates = 0 keeps it as it starts"


def trainable_parameters(learner: Learner) -> list[nn.Parameter]:
    """The parameters that the outer loop updates: those not frozen by the learner."""
    return [parameter for parameter in learner.parameters() if parameter.requires_grad]


def parameter_groups(learner: Learner, weight_decay: float) -> list[dict]:
    """Adam's parameter groups, with weight decay 2 wd (the gradient of wd * sum(w^2)) on the learner's decayed tensors.

    Frozen parameters are in no group. Returns at least one group, which may be empty.
    """
    chosen = {id(parameter) for parameter in learner.decayed()}
    decayed = [parameter for parameter in trainable_parameters(learner) if id(parameter) in chosen]
    others = [parameter for parameter in trainable_parameters(learner) if id(parameter) not in chosen]
    groups = [{"params": decayed, "weight_decay": 2 * weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]] or groups[:1]


class UpdateMetrics(NamedTuple):
    """Means over the episodes of an update, and the norm of the outer gradient before it is clipped."""

    loss: float
    score: float
    gradient_norm: float


def outer_step(
    state: TrainState, episodes: Sequence[Episode], clip_norm: float, group: ProcessGroup = SINGLE_PROCESS
) -> UpdateMetrics:
    """One meta-update from this process's `episodes` and those of the others.

    Raises UserError if a loss or gradient is not finite or memory runs out; no parameter is updated then.
    """
    if not state.learner.training:
        state.learner.train()
    state.optimizer.zero_grad()
    accumulators = state.learner.accumulators()
    for part in accumulators:
        part.reset()
    (num_episodes,) = group.all_reduce([len(episodes)])
    results = []
    for portion in micro_batches(state.learner, episodes):
        with explain_out_of_memory(state.learner, portion, f"at update {state.step + 1} "):
            results.append(accumulate_gradients(state, portion, num_episodes))
    parameters = trainable_parameters(state.learner)
    group.sum_gradients(parameters)
    norm = clip_gradients(parameters, clip_norm)
    if not math.isfinite(norm):
        raise UserError(non_finite_message("gradient", state, episodes))
    for part in accumulators:
        part.synchronize(group.all_reduce)
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    loss, score = group.all_reduce([sum(loss for loss, _ in results), sum(score for _, score in results)])
    return UpdateMetrics(loss / num_episodes, score / num_episodes, norm)


def clip_gradients(parameters: Sequence[nn.Parameter], clip_norm: float) -> float:
    """Clips the gradients in place to a global norm of `clip_norm`; returns their norm before.

    A diverging inner loop can give finite gradients whose squares overflow float32: the norm is then taken in float64.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = get_total_norm(grads)
    if not norm.isfinite():
        norm = get_total_norm([grad.double() for grad in grads])
    clip_grads_with_norm_(parameters, clip_norm, norm)
    return float(norm)


def micro_batches(learner: Learner, episodes: Sequence[Episode]) -> list[Sequence[Episode]]:
    """The batches of episodes for one forward pass: all episodes if the learner batches them, else one at a time."""
    if learner.vectorized and len(episodes) > 1:
        return [episodes]
    return [[episode] for episode in episodes]


def accumulate_gradients(state: TrainState, episodes: Sequence[Episode], num_episodes: float) -> tuple[float, float]:
    """Adds the gradients of some episodes, divided by `num_episodes`; returns the sums of their losses and scores.

    The autograd graph is freed on return, before the next episodes.
    """
    learner, objective = state.learner, state.learner.objective
    outcomes = learner.losses(episodes)
    losses = torch.stack([outcome.loss for outcome in outcomes])
    finite = losses.isfinite().tolist()
    if not all(finite):
        raise UserError(
            non_finite_message("loss", state, [e for e, good in zip(episodes, finite, strict=True) if not good])
        )
    if not losses.requires_grad:
        raise UserError(f"the loss of {type(learner).__name__} depends on nothing that is trained; {UNTRAINED_REMEDY}")
    (losses.sum() / num_episodes).backward()
    pairs = zip(outcomes, episodes, strict=True)
    scores = [objective.score(outcome.scores.detach(), episode.query_y).item() for outcome, episode in pairs]
    return losses.sum().item(), sum(scores)


def non_finite_message(what: str, state: TrainState, episodes: Sequence[Episode]) -> str:
    """The error message for a loss or gradient that is not finite."""
    names = ", ".join(episode.name for episode in episodes)
    return (
        f"non-finite {what} at update {state.step + 1} on {names}; checkpoints stay as they were; "
        "lower train.learning_rate, the inner rate or train.clip_norm"
    )
