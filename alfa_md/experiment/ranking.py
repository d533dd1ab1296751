"""Which updates had the best validations of a run."""

import math

from alfa_md.metrics import Unit

Ranking = dict[int, float]  # update -> mean validation score, best first


def ranked(ranking: Ranking, update: int, mean: float, unit: Unit, keep: int) -> Ranking:
    """The ranking with one more validation, cut to `keep` entries; of equal means the earlier update comes first."""
    means = ranking | {update: mean}
    order = sorted(means, key=lambda number: (-worth(means[number], unit), number))
    return {number: means[number] for number in order[:keep]}


def worth(mean: float, unit: Unit) -> float:
    """A number that is higher for the better mean; one that is not finite is worth less than any other."""
    return unit.sign * mean if math.isfinite(mean) else -math.inf
