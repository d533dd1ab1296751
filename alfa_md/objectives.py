"""Objectives: the training loss of a learner and the score that is reported."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, Unit
from alfa_md.system.typed_gin import gin


class Objective(NamedTuple):
    """Loss and score, functions of (predictions, targets) that average over examples, and the score's unit."""

    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]
    unit: Unit


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """The fraction of examples with the highest score [N, way] at their label [N]; the first of equal scores wins."""
    return (scores.argmax(dim=1) == labels).to(scores.dtype).mean()


CLASSIFICATION = Objective(loss=F.cross_entropy, score=accuracy, unit=ACCURACY)
REGRESSION = Objective(loss=F.mse_loss, score=F.mse_loss, unit=SQUARED_ERROR)


@gin.configurable
def classification() -> Objective:
    """Cross entropy; the score is accuracy."""
    return CLASSIFICATION


@gin.configurable
def regression() -> Objective:
    """Mean squared error of predictions [N, D], also as the score; lower is better."""
    return REGRESSION
