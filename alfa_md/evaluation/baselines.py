"""What a trained learner is shown beside: functions of the run's experiment, by the name a flag gives them."""

from collections.abc import Callable, Sequence

from alfa_md.errors import UserError
from alfa_md.experiment.definition import Experiment
from alfa_md.learners.base import Learner
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels


def untrained(trained: Experiment, initial: Experiment) -> Learner:
    """The same learner before its first update."""
    return initial.learner


def pixel(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour on pixels."""
    return NearestNeighborLearner(Pixels())


def feature(trained: Experiment, initial: Experiment) -> Learner:
    """Nearest neighbour on the features of the trained backbone, without inner loop."""
    return NearestNeighborLearner(trained.learner.backbone)


Baseline = Callable[[Experiment, Experiment], Learner]
BASELINES: dict[str, Baseline] = {"untrained": untrained, "pixel": pixel, "feature": feature}


def named(names: Sequence[str]) -> dict[str, Baseline]:
    """The baselines of these names. Raises UserError for an unknown one."""
    for name in names:
        if name not in BASELINES:
            raise UserError(f"--baselines: unknown baseline {name}; there are: {', '.join(BASELINES)}")
    return {name: BASELINES[name] for name in names}
