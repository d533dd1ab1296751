"""Baselines that are evaluated together with a trained learner, by their names in the --baselines flag."""

from collections.abc import Callable, Sequence

from alfa_md.errors import UserError
from alfa_md.experiment.definition import Experiment
from alfa_md.learners.base import Learner
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels


def untrained(trained: Experiment, initial: Experiment) -> Learner:
    """The run's learner with its initial weights."""
    return initial.learner


def pixel(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour in pixel space."""
    return NearestNeighborLearner(Pixels())


def feature(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour in the feature space of the trained backbone, without an inner loop."""
    return NearestNeighborLearner(trained.learner.backbone)


Baseline = Callable[[Experiment, Experiment], Learner]
BASELINES: dict[str, Baseline] = {"untrained": untrained, "pixel": pixel, "feature": feature}


def select_baselines(names: Sequence[str]) -> dict[str, Baseline]:
    """The baselines with these names. Raises UserError for an unknown name."""
    for name in names:
        if name not in BASELINES:
            raise UserError(f"--baselines: unknown baseline {name}; there are: {', '.join(BASELINES)}")
    return {name: BASELINES[name] for name in names}
