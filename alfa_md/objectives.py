"""What a learner's scores are trained on and judged by: a loss to descend, a score to report."""

from collections.abc import Callable
from typing import NamedTuple

import gin
import torch.nn.functional as F
from torch import Tensor

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, Unit


class Objective(NamedTuple):
    """A pair of functions of (predictions, targets), each the mean over the examples given, and the score's unit."""

    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]
    unit: Unit


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """The share of examples whose highest score [N, way] is that of their label [N]; the first of equals wins."""
    return (scores.argmax(dim=1) == labels).to(scores.dtype).mean()


CLASSIFICATION = Objective(loss=F.cross_entropy, score=accuracy, unit=ACCURACY)
REGRESSION = Objective(loss=F.mse_loss, score=F.mse_loss, unit=SQUARED_ERROR)


@gin.configurable
def classification() -> Objective:
    """Cross entropy, judged by accuracy."""
    return CLASSIFICATION


@gin.configurable
def regression() -> Objective:
    """The mean squared error of predictions [N, D], which is also what is reported: lower is better."""
    return REGRESSION
