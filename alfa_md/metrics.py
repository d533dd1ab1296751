"""Mean and 95 % confidence interval over episodes, for one learner or the difference of two; units of scores."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LARGE = 1e9  # numbers from here on are written with an exponent


class MeanCI(NamedTuple):
    """Mean over `n` episodes and half width of its 95 % confidence interval; NaN if no episode counts.

    `diverged` of the episodes have a prediction that is not finite; the unit says how they count.
    """

    mean: float
    ci95: float
    n: int
    diverged: int = 0

    @property
    def remark(self) -> str:
        """` (diverged 3 of 600)`, empty if no episode has."""
        return f" (diverged {self.diverged} of {self.n})" if self.diverged else ""


class Unit(NamedTuple):
    """The unit of a score: its name, format and direction, and the score of an episode that diverged."""

    name: str
    symbol: str
    factor: float  # from the score to the formatted number
    digits: int
    sign: int  # 1 if higher is better, -1 if lower is
    diverged: float | None  # as which an episode counts whose predictions are not finite; None: left out

    def mean(self, scores: Sequence[float | None]) -> MeanCI:
        """Mean and interval over episodes, of which None stands for one that diverged. Raises ValueError if empty."""
        number = sum(score is None for score in scores)
        if number == 0:
            return mean_ci(scores)
        counted = [self.diverged if score is None else score for score in scores]
        counted = [score for score in counted if score is not None]
        finite = mean_ci(counted) if counted else MeanCI(math.nan, math.nan, 0)
        return finite._replace(n=len(scores), diverged=number)

    def rank(self, result: MeanCI) -> float:
        """The mean by which checkpoints are ranked: NaN, the worst, if it leaves out episodes that diverged."""
        return math.nan if self.diverged is None and result.diverged else result.mean

    @property
    def rule(self) -> str:
        """How episodes that diverged count in a mean, for notes below tables."""
        how = "are left out of the mean" if self.diverged is None else f"count as {self.number(self.diverged)}"
        return f"Episodes that diverged, with a prediction that is not finite, {how}."

    def text(self, result: MeanCI) -> str:
        """`mean±ci` in this unit, without its symbol, followed by the number of episodes that diverged, if any."""
        return f"{self.interval(result)}{result.remark}"

    def interval(self, result: MeanCI) -> str:
        """`mean±ci` in this unit, without its symbol, or `-` if there is no mean."""
        if not math.isfinite(result.mean):
            return self.number(result.mean)
        return f"{self.number(result.mean)}±{self.number(result.ci95)}"

    def number(self, value: float) -> str:
        """One number in this unit, without its symbol; `-` for one that is not finite."""
        if not math.isfinite(value):
            return "-"
        return f"{self.factor * value:.{self.digits}f}" if abs(value) < LARGE else f"{value:.3e}"


# A learner that has no answer has none that is right. An error has no upper end: any number for it would be made up.
ACCURACY = Unit("accuracy", "%", 100.0, 2, 1, diverged=0.0)
SQUARED_ERROR = Unit("squared error", "", 1.0, 3, -1, diverged=None)


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


def unpaired_difference(a: MeanCI, b: MeanCI) -> MeanCI:
    """Mean and interval of a - b over different episodes: the variances of both means add."""
    return MeanCI(a.mean - b.mean, math.hypot(a.ci95, b.ci95), min(a.n, b.n))


def finite_or_none(value: float) -> float | None:
    """A number as a JSON value: None, which is null, if it is not finite."""
    return value if math.isfinite(value) else None
