"""One update of the meta-parameters: gradients averaged over episodes, clipped, and taken by the optimiser."""

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.out_of_memory import short_of_memory
from alfa_md.learners.base import Learner
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup

UNTRAINED = "train.num_updates = 0 keeps it as it starts"


def trained(learner: Learner) -> list[nn.Parameter]:
    """The parameters that the outer loop moves: all but those that a learner has frozen."""
    return [parameter for parameter in learner.parameters() if parameter.requires_grad]


def parameter_groups(learner: Learner, weight_decay: float) -> list[dict]:
    """Adam's groups: wd * sum(w^2) has gradient 2 wd w, and acts on the learner's decayed tensors only.

    Frozen parameters are in no group. There is one group at least, if only an empty one.
    """
    chosen = {id(parameter) for parameter in learner.decayed()}
    decayed = [parameter for parameter in trained(learner) if id(parameter) in chosen]
    others = [parameter for parameter in trained(learner) if id(parameter) not in chosen]
    groups = [{"params": decayed, "weight_decay": 2 * weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]] or groups[:1]


def outer_step(
    state: TrainState, episodes: Sequence[Episode], clip_norm: float, group: ProcessGroup = SINGLE_PROCESS
) -> tuple[float, float]:
    """One update from the `episodes` of all processes; returns their mean loss and score.

    `episodes` are this process's own. Raises UserError when something is not finite or memory runs out; nothing has
    moved then.
    """
    state.learner.train()
    state.optimizer.zero_grad()
    for part in state.learner.gathering():
        part.discard()
    (num_episodes,) = group.all_reduce([len(episodes)])
    results = []
    for portion in portions(state.learner, episodes):
        with short_of_memory(state.learner, portion, f"at update {state.step + 1} "):
            results.append(backward(state, portion, num_episodes))
    parameters = trained(state.learner)
    group.sum_gradients(parameters)
    if not clipped(parameters, clip_norm):
        raise UserError(diverged("gradient", state, episodes))
    for part in state.learner.gathering():
        part.settle(group.all_reduce)
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    loss, score = group.all_reduce([sum(loss for loss, _ in results), sum(score for _, score in results)])
    return loss / num_episodes, score / num_episodes


def clipped(parameters: Sequence[nn.Parameter], clip_norm: float) -> bool:
    """Scales the gradients down to a common norm of `clip_norm`; returns whether they were finite, else they are lost.

    An episode whose inner loop runs away can have finite gradients whose squares are beyond float32: the norm is then
    taken in float64.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = get_total_norm(grads)
    if not norm.isfinite():
        norm = get_total_norm([grad.double() for grad in grads])
    clip_grads_with_norm_(parameters, clip_norm, norm)
    return math.isfinite(norm)


def portions(learner: Learner, episodes: Sequence[Episode]) -> list[Sequence[Episode]]:
    """What goes through the learner at once: all where it takes several together, else each alone."""
    if learner.batches and len(episodes) > 1:
        return [episodes]
    return [[episode] for episode in episodes]


def backward(state: TrainState, episodes: Sequence[Episode], num_episodes: float) -> tuple[float, float]:
    """Adds the share of some episodes to the gradients and returns the sums of their losses and scores.

    Their graph is freed before the next ones are built.
    """
    learner, objective = state.learner, state.learner.objective
    pairs = list(zip(learner.batch(episodes), (episode.query_y for episode in episodes), strict=True))
    losses = torch.stack([objective.loss(prediction, target) for prediction, target in pairs])
    finite = losses.isfinite().tolist()
    if not all(finite):
        raise UserError(diverged("loss", state, [e for e, good in zip(episodes, finite, strict=True) if not good]))
    if not losses.requires_grad:
        raise UserError(f"the loss of {type(learner).__name__} depends on nothing that is trained; {UNTRAINED}")
    (losses.sum() / num_episodes).backward()
    scores = [objective.score(prediction.detach(), target).item() for prediction, target in pairs]
    return losses.sum().item(), sum(scores)


def diverged(what: str, state: TrainState, episodes: Sequence[Episode]) -> str:
    """What is said of a loss or gradient that is not finite."""
    names = ", ".join(episode.name for episode in episodes)
    return (
        f"non-finite {what} at update {state.step + 1} on {names}; checkpoints stay as they were; "
        "lower train.learning_rate, the inner rate or train.clip_norm"
    )
