"""Mean and 95 % confidence interval over episodes, of one learner or of the difference of two."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class MeanCI(NamedTuple):
    """A mean over `n` episodes and the half width of its 95 % confidence interval."""

    mean: float
    ci95: float
    n: int


class Unit(NamedTuple):
    """How a score is named, written and compared."""

    name: str
    symbol: str
    factor: float  # from the score to what is written
    digits: int
    sign: int  # 1 where higher is better, -1 where lower is

    def text(self, result: MeanCI) -> str:
        """`mean±ci` in this unit, without its symbol."""
        return f"{self.number(result.mean)}±{self.number(result.ci95)}"

    def number(self, value: float) -> str:
        """One number in this unit, without its symbol."""
        return f"{self.factor * value:.{self.digits}f}"


ACCURACY = Unit("accuracy", "%", 100.0, 2, 1)
SQUARED_ERROR = Unit("squared error", "", 1.0, 3, -1)


def mean_ci(values: Sequence[float]) -> MeanCI:
    """Mean and 1.96 std / sqrt(n), with the population's std (ddof 0) as Meta-Dataset reports it.

    Raises ValueError without values.
    """
    if len(values) == 0:
        raise ValueError("no episodes to average over")
    array = np.asarray(values, dtype=np.float64)
    return MeanCI(float(array.mean()), 1.96 * float(array.std()) / math.sqrt(len(array)), len(array))


def paired_difference(a: Sequence[float], b: Sequence[float]) -> MeanCI:
    """Mean of a - b over the same episodes; its interval is free of what makes an episode hard for both.

    Raises ValueError when the two have different lengths.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} episodes cannot be paired with {len(b)}")
    return mean_ci(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))
