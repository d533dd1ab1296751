"""Ranks of learners on a source, with ties, as on Meta-Dataset's leaderboard."""

import math
from collections.abc import Mapping
from statistics import mean

from alfa_md.evaluation.tables import SourceMeans, markdown_table
from alfa_md.metrics import MeanCI, Unit, unpaired_difference


def ranks(results: Mapping[str, MeanCI], unit: Unit) -> dict[str, float]:
    """The rank of every learner, 1 for the best mean; learners that tie share the mean of the ranks they occupy.

    The best of those that have no rank yet ties with all whose difference from it is within
    1.96 sqrt(s1^2 / n1 + s2^2 / n2), until all have one. A learner without a mean comes last.
    """
    found: dict[str, float] = {}
    left = sorted(results, key=lambda name: _loss(results[name], unit))
    while left:
        tied = [name for name in left if _tie(results[left[0]], results[name], unit)]
        found |= dict.fromkeys(tied, len(found) + (1 + len(tied)) / 2)
        left = [name for name in left if name not in found]
    return {name: found[name] for name in results}


def _loss(result: MeanCI, unit: Unit) -> float:
    """The lower, the better."""
    value = unit.rank(result)
    return -unit.sign * value if math.isfinite(value) else math.inf


def _tie(best: MeanCI, other: MeanCI, unit: Unit) -> bool:
    if math.inf in (_loss(best, unit), _loss(other, unit)):
        return _loss(best, unit) == _loss(other, unit)
    difference = unpaired_difference(best, other)
    return abs(difference.mean) <= difference.ci95


def ranks_by_source(columns: Mapping[str, SourceMeans], unit: Unit) -> dict[str, dict[str, float]]:
    """learner -> source -> rank among all learners, on the sources that all of them have."""
    first, *others = columns.values()
    shared = [source for source in first if all(source in each for each in others)]
    by_source = {source: ranks({name: each[source] for name, each in columns.items()}, unit) for source in shared}
    return {name: {source: by_source[source][name] for source in shared} for name in columns}


def average_ranks(columns: Mapping[str, SourceMeans], unit: Unit) -> dict[str, float]:
    """The average rank of every learner on the sources that all have; empty if there is none, or one learner alone."""
    placed = ranks_by_source(columns, unit) if len(columns) > 1 else {}
    return {name: mean(own.values()) for name, own in placed.items()} if all(placed.values()) else {}


def ranks_beside(
    columns: Mapping[str, SourceMeans], rows: Mapping[str, SourceMeans], unit: Unit
) -> dict[str, dict[str, float]]:
    """learner -> source -> rank of this learner alone among `rows`."""
    return {name: ranks_by_source({"": each} | dict(rows), unit)[""] for name, each in columns.items()}


def leaderboard_table(columns: Mapping[str, SourceMeans], placed: Mapping[str, Mapping[str, float]], unit: Unit) -> str:
    """Markdown table in the leaderboard's form: the average rank, and `mean±ci (rank)` for every source with ranks."""
    sources = list(next(iter(placed.values())))
    rows = {
        name: [f"{mean(own.values()):g}", *(f"{unit.text(columns[name][s])} ({own[s]:g})" for s in sources)]
        for name, own in placed.items()
    }
    return markdown_table(["learner", "avg rank", *sources], rows)
