"""What a learner's scores are trained on and judged by: a loss to descend, a score to report."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Objective(NamedTuple):
    """A pair of functions of (scores, targets), each the mean over the examples given."""

    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """The share of examples whose highest score [N, way] is that of their label [N]; the first of equals wins."""
    return (scores.argmax(dim=1) == labels).to(scores.dtype).mean()


CLASSIFICATION = Objective(loss=F.cross_entropy, score=accuracy)
