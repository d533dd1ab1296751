"""Calibration on the support set alone: leave-one-out scores, their temperature, and the accuracy that they show.

References: Guo et al., "On calibration of modern neural networks", ICML 2017 (temperature scaling); Platt,
"Probabilistic outputs for support vector machines", 1999 (targets n + 1 / n + 2, so that no finite sample makes a
probability of one); Wilson, 1927 (interval of a share).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.prediction.support_set import SupportSet
from alfa_md.system.progress import progress_bar

Z = 1.96  # of a 95 % interval
BISECTIONS = 60


class Calibration(NamedTuple):
    """Leave-one-out on the support set: `correct` of `number` pictures, and the temperature of the scores.

    Probabilities are softmax(scores / temperature); an infinite temperature gives every class the same. Pictures that
    are the only one of their class are not among the `number`.
    """

    temperature: float
    correct: int
    number: int

    @property
    def accuracy(self) -> float:
        """The expected accuracy, in [0, 1]."""
        return self.correct / self.number

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the expected accuracy by Wilson's score."""
        return wilson_interval(self.correct, self.number)


def calibrate(learner: Learner, support: SupportSet) -> Calibration:
    """Scores every labelled picture after adapting to a rest without it; see `SupportSet.folds`.

    Raises UserError if every class has one picture, and if a score is not finite.
    """
    if not support.num_folds:
        raise UserError(
            "--calibrate leaves one picture out at a time, and no class has another one left; add pictures or leave "
            "--calibrate out"
        )
    results = list(progress_bar(left_out_scores(learner, support), "leave one out", support.num_folds))
    scores = torch.cat([scores for _, scores in results]).double().cpu()
    labels = support.y.cpu()[[index for judged, _ in results for index in judged]]
    if not scores.isfinite().all():
        raise UserError("--calibrate: the scores of a picture left out are not finite; lower the inner rate")
    correct = int((scores.argmax(dim=1) == labels).sum())
    return Calibration(fit_temperature(scores, labels), correct, len(labels))


@torch.no_grad()
def left_out_scores(learner: Learner, support: SupportSet) -> Iterator[tuple[list[int], Tensor]]:
    """Yields the indices of the pictures that a fold judges and their scores [number, way]."""
    for rest, judged in support.folds():
        yield judged, learner.scorer(rest)(support.x[judged])


def fit_temperature(scores: Tensor, labels: Tensor) -> float:
    """The temperature T of the least cross entropy of softmax(scores / T), for scores [N, way] and labels [N].

    The target of a label is (N + 1) / (N + 2), of the other classes together 1 / (N + 2). The loss is convex in 1 / T:
    its derivative, mean(E_p[score] - E_target[score]), grows, and its zero is bracketed and bisected. Infinite if the
    scores are no better than none.
    """
    number, way = scores.shape
    target = torch.full_like(scores, 1 / (number + 2) / (way - 1))
    target[torch.arange(number), labels] = (number + 1) / (number + 2)
    scores = scores - scores.max(dim=1, keepdim=True).values
    wanted = (target * scores).sum(dim=1).mean()

    def derivative(inverse: float) -> float:
        return float(((inverse * scores).softmax(dim=1) * scores).sum(dim=1).mean() - wanted)

    if derivative(0.0) >= 0:
        return math.inf
    high = 1 / float(scores.abs().max())
    while derivative(high) < 0:
        high *= 2
    low = 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if derivative(middle) < 0 else (low, middle)
    return 1 / high


def wilson_interval(correct: int, number: int) -> tuple[float, float]:
    """The 95 % interval of a share `correct` / `number`, within [0, 1] and not empty at its ends."""
    share, z2 = correct / number, Z * Z
    middle = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = Z / (1 + z2 / number) * math.sqrt(share * (1 - share) / number + z2 / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)
