"""Baselines that are evaluated together with a trained learner, by their names in the --baselines flag."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn

from alfa_md.errors import UserError
from alfa_md.evaluation.grid import Grid
from alfa_md.experiment.definition import Experiment
from alfa_md.learners.base import Learner
from alfa_md.learners.fine_tuning import FineTuningLearner
from alfa_md.learners.linear_probe import LinearProbeLearner
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels
from alfa_md.metrics import Unit


class Baseline(NamedTuple):
    """A baseline: makes its learner, of the run's experiment with trained weights and of one with initial weights.

    `grid` has the hyperparameters that are chosen on validation episodes, by their names as bindings.
    """

    make: Callable[[Experiment, Experiment], Learner]
    is_trained: bool = False  # True if its scores depend on the trained weights
    grid: Grid = {}

    @property
    def owner(self) -> str:
        """The learner whose hyperparameters are chosen, "" if there are none."""
        return next(iter(self.grid), "").partition(".")[0]


def untrained(trained: Experiment, initial: Experiment) -> Learner:
    """The run's learner with its initial weights."""
    return initial.learner


def pixel(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour in pixel space."""
    return NearestNeighborLearner(Pixels())


def feature(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour in the feature space of the trained backbone, without an inner loop."""
    return NearestNeighborLearner(backbone_of(trained))


def linear_probe(trained: Experiment, initial: Experiment) -> Learner:
    """Logistic regression on the features of the trained backbone."""
    return LinearProbeLearner(backbone_of(trained))


def fine_tuning(trained: Experiment, initial: Experiment) -> Learner:
    """The trained backbone and a new head, all tuned on the support set."""
    return FineTuningLearner(backbone_of(trained))


RATES = {"FineTuningLearner.rate": ("0.0001", "0.001", "0.01"), "FineTuningLearner.num_steps": ("10", "50")}
PENALTIES = {"LinearProbeLearner.l2": ("1e-05", "0.0001", "0.001", "0.01", "0.1", "1.0")}
BASELINES: dict[str, Baseline] = {
    "untrained": Baseline(untrained),
    "pixel": Baseline(pixel),
    "feature": Baseline(feature, is_trained=True),
    "linear_probe": Baseline(linear_probe, is_trained=True, grid=PENALTIES),
    "fine_tuning": Baseline(fine_tuning, is_trained=True, grid=RATES),
}


def select_baselines(names: Sequence[str]) -> dict[str, Baseline]:
    """The baselines with these names. Raises UserError for an unknown name."""
    for name in names:
        if name not in BASELINES:
            raise UserError(f"--baselines: unknown baseline {name}; there are: {', '.join(BASELINES)}")
    return {name: BASELINES[name] for name in names}


def build_baseline(name: str, trained: Experiment, initial: Experiment, unit: Unit) -> Learner:
    """The learner of the baseline `name`. Raises UserError if its scores have another unit than the run's."""
    learner = BASELINES[name].make(trained, initial)
    if learner.objective.unit != unit:
        raise UserError(f"--baselines: {name} is judged by {learner.objective.unit.name}, this run is not; drop it")
    return learner


def backbone_of(trained: Experiment) -> nn.Module:
    """The backbone of a run's learner. Raises UserError if it has none."""
    if not isinstance(backbone := getattr(trained.learner, "backbone", None), nn.Module):
        raise UserError(f"--baselines: a {type(trained.learner).__name__} has no backbone; give untrained or pixel")
    return backbone
