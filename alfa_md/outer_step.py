"""One update of the meta-parameters: gradients averaged over episodes, clipped, and taken by the optimiser."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from alfa_md.checkpoint import TrainState
from alfa_md.distributed import ALONE, Group
from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner


def parameter_groups(learner: Learner, weight_decay: float) -> list[dict]:
    """Adam's groups: wd * sum(w^2) has gradient 2 wd w, and acts on the learner's decayed tensors only."""
    decayed = learner.decayed()
    chosen = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in learner.parameters() if id(parameter) not in chosen]
    groups = [{"params": decayed, "weight_decay": 2 * weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def outer_step(
    state: TrainState, episodes: Sequence[Episode], clip_norm: float, group: Group = ALONE
) -> tuple[float, float]:
    """One update from the `episodes` of all processes; returns their mean loss and score.

    `episodes` are this process's own. Raises UserError when something is not finite; nothing has moved then.
    """
    state.learner.train()
    state.optimizer.zero_grad()
    (num_episodes,) = group.total([len(episodes)])
    results = [backward(state, episode, num_episodes) for episode in episodes]
    group.sum_gradients(state.learner.parameters())
    norm = torch.nn.utils.clip_grad_norm_(state.learner.parameters(), clip_norm).item()
    if not math.isfinite(norm):
        raise UserError(diverged("gradient", state, episodes))
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    loss, score = group.total([sum(loss for loss, _ in results), sum(score for _, score in results)])
    return loss / num_episodes, score / num_episodes


def backward(state: TrainState, episode: Episode, num_episodes: float) -> tuple[float, float]:
    """Adds an episode's share to the gradients; each graph is freed before the next episode is built."""
    objective = state.learner.objective
    prediction: Tensor = state.learner(episode)
    loss = objective.loss(prediction, episode.query_y)
    if not math.isfinite(loss.item()):
        raise UserError(diverged("loss", state, [episode]))
    (loss / num_episodes).backward()
    return loss.item(), objective.score(prediction.detach(), episode.query_y).item()


def diverged(what: str, state: TrainState, episodes: Sequence[Episode]) -> str:
    """What is said of a loss or gradient that is not finite."""
    names = ", ".join(episode.name for episode in episodes)
    return (
        f"non-finite {what} at update {state.step + 1} on {names}; checkpoints stay as they were; "
        "lower train.learning_rate, the inner rate or train.clip_norm"
    )
