"""Evaluation of an opened run in one call, for notebooks and programs: the scores, without files."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from alfa_md.data.spec import SPLITS
from alfa_md.errors import UserError, require_at_least
from alfa_md.evaluation.data_check import check_training_data
from alfa_md.evaluation.scores import score_episodes
from alfa_md.experiment.open_run import OpenedRun
from alfa_md.metrics import MeanCI, Unit
from alfa_md.system.progress import Progress


class SourceScores(NamedTuple):
    """The scores of a learner on a source, by episode, with their mean and the half width of its 95 % interval.

    Scores are in [0, 1] for accuracy; None stands for an episode that diverged. Printed in the unit of tables.
    """

    scores: list[float | None]
    unit: Unit

    @property
    def result(self) -> MeanCI:
        """Mean and interval over the episodes."""
        return self.unit.mean(self.scores)

    @property
    def mean(self) -> float:
        """The mean score."""
        return self.result.mean

    @property
    def ci95(self) -> float:
        """The half width of the mean's 95 % confidence interval."""
        return self.result.ci95

    def __str__(self) -> str:
        return self.unit.text(self.result) + self.unit.symbol


def evaluate(
    run: OpenedRun,
    sources: Sequence[str] | None = None,
    num_episodes: int = 600,
    split: str = "test",
    seed: int = 0,
) -> dict[str, SourceScores]:
    """The scores of an opened run's learner on each of `sources`, by default on its test sources.

    The episodes are the first `num_episodes` that `python -m alfa_md.evaluate` draws with this seed, and on the same
    device the scores are equal to its scores; they are computed on the learner's device and not stored. On other data
    than the run was trained on, a line says so. Raises UserError if a source is missing or lacks the split.
    """
    require_at_least(1, "evaluate", num_episodes=num_episodes)
    if split not in SPLITS:
        raise UserError(f"evaluate: split={split!r} must be one of {', '.join(SPLITS)}")
    chosen = [run.source(name, split, seed) for name in sources or run.experiment.test_sources]
    check_training_data(run.directory, run.experiment, run.root, chosen, name="evaluate")
    learner = run.learner.to(run.device, memory_format=torch.channels_last)
    found = {}
    for source in chosen:
        scores: list[float | None] = []
        with Progress(f"{split} {source.name}", num_episodes) as progress:
            for portion in score_episodes(learner, source, range(num_episodes), run.device):
                scores += portion
                progress.advance(number=len(portion))
        found[source.name] = SourceScores(scores, learner.objective.unit)
    return found
