"""Scores of a learner on episodes, with those episodes told apart on which its predictions are not finite."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

import torch
from torch import Tensor

from alfa_md.data.prefetch import prefetch
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment.out_of_memory import explain_out_of_memory
from alfa_md.learners.base import Learner
from alfa_md.metrics import Unit, finite_or_none
from alfa_md.objectives import Objective
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup

PORTION = 10  # episodes of each process between two exchanges of scores
NAMED = 5  # diverged episodes that a line names; a results file names all

Score = float | None  # None: the episode diverged


@torch.no_grad()
def score_episodes(
    learner: Learner,
    source: EpisodeSource,
    indices: Sequence[int],
    device: torch.device,
    group: ProcessGroup = SINGLE_PROCESS,
) -> Iterator[list[Score]]:
    """Yields the learner's query scores on the episodes `indices` in order, a portion at a time, in evaluation mode.

    The episodes are sharded over the processes of `group`; every process gets all scores.
    """
    learner.eval()
    portions = [indices[i : i + PORTION * group.size] for i in range(0, len(indices), PORTION * group.size)]
    own = list(map(group.shard, portions))
    with closing(prefetch(source, chain.from_iterable(own), device)) as episodes:
        for portion in own:
            predictions = predict(learner, islice(episodes, len(portion)))
            yield group.all_gather([finite_score(learner.objective, y, e.query_y) for e, y in predictions])


def predict(learner: Learner, episodes: Iterable[Episode]) -> Iterator[tuple[Episode, Tensor]]:
    """Yields episodes and the learner's predictions; all in one batch if the learner batches episodes."""
    parts = [list(episodes)] if learner.vectorized else ([episode] for episode in episodes)
    for batch in filter(None, parts):
        with explain_out_of_memory(learner, batch):
            predictions = learner.forward_episodes(batch) if learner.vectorized else [learner(batch[0])]
        yield from zip(batch, predictions, strict=True)


def finite_score(objective: Objective, predictions: Tensor, targets: Tensor) -> Score:
    """The score of an episode, None if it or any prediction is not finite; reads the device once, as any score does."""
    score = objective.score(predictions, targets)
    return finite_or_none(torch.where(predictions.isfinite().all(), score, math.nan).item())


def diverged_episodes(scores: Sequence[Score]) -> list[int]:
    """The indices of the episodes that diverged."""
    return [index for index, score in enumerate(scores) if score is None]


def describe_diverged(name: str, scores: Sequence[Score], unit: Unit) -> str:
    """A line that counts the diverged episodes, names the first of them, and says how they count."""
    found = diverged_episodes(scores)
    first = ", ".join(map(str, found[:NAMED])) + (", ..." if len(found) > NAMED else "")
    return f"{name}: diverged {len(found)} of {len(scores)} (episodes {first}). {unit.rule}"
