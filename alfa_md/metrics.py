"""Mean and 95 % confidence interval over episodes, for one learner or the paired difference of two; units of scores."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class MeanCI(NamedTuple):
    """Mean over `n` episodes and half width of its 95 % confidence interval."""

    mean: float
    ci95: float
    n: int


class Unit(NamedTuple):
    """The unit of a score: its name, format and direction."""

    name: str
    symbol: str
    factor: float  # from the score to the formatted number
    digits: int
    sign: int  # 1 if higher is better, -1 if lower is

    def text(self, result: MeanCI) -> str:
        """`mean±ci` in this unit, without its symbol."""
        return f"{self.number(result.mean)}±{self.number(result.ci95)}"

    def number(self, value: float) -> str:
        """One number in this unit, without its symbol."""
        return f"{self.factor * value:.{self.digits}f}"


ACCURACY = Unit("accuracy", "%", 100.0, 2, 1)
SQUARED_ERROR = Unit("squared error", "", 1.0, 3, -1)


def mean_ci(values: Sequence[float]) -> MeanCI:
    """Mean and 1.96 std / sqrt(n), with the population std (ddof 0) as in Meta-Dataset.

    Raises ValueError if there are no values.
    """
    if len(values) == 0:
        raise ValueError("no episodes to average over")
    array = np.asarray(values, dtype=np.float64)
    return MeanCI(float(array.mean()), 1.96 * float(array.std()) / math.sqrt(len(array)), len(array))


def paired_difference(a: Sequence[float], b: Sequence[float]) -> MeanCI:
    """Mean and interval of a - b over the same episodes; variance common to both cancels.

    Raises ValueError if the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} episodes cannot be paired with {len(b)}")
    return mean_ci(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))
