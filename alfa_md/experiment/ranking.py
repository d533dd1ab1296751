"""Ranking of a run's updates by validation score."""

import math

from alfa_md.metrics import Unit

Ranking = dict[int, float]  # update -> mean validation score, best first


def update_ranking(ranking: Ranking, update: int, mean: float, unit: Unit, keep: int) -> Ranking:
    """The ranking with one more validation, the best `keep` entries; of equal means the earlier update comes first."""
    means = ranking | {update: mean}
    order = sorted(means, key=lambda number: (-sort_value(means[number], unit), number))
    return {number: means[number] for number in order[:keep]}


def sort_value(mean: float, unit: Unit) -> float:
    """A sort key that is higher for a better mean; -inf for a mean that is not finite."""
    return unit.sign * mean if math.isfinite(mean) else -math.inf
