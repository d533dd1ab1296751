"""Ranking of validations for both directions of a score."""

import math

import pytest

from alfa_md.experiment.ranking import update_ranking
from alfa_md.metrics import ACCURACY, SQUARED_ERROR


def after(means, unit, keep):
    """The ranking after validations with these means, one per update."""
    ranking = {}
    for update, mean in enumerate(means, 1):
        ranking = update_ranking(ranking, update, mean, unit, keep)
    return list(ranking.items())


def test_the_highest_accuracies_are_kept_best_first():
    assert after([0.2, 0.9, 0.5, 0.7], ACCURACY, keep=3) == [(2, 0.9), (4, 0.7), (3, 0.5)]
    assert after([0.2], ACCURACY, keep=3) == [(1, 0.2)]


def test_the_lowest_errors_are_kept_best_first():
    assert after([0.2, 0.9, 0.5, 0.7], SQUARED_ERROR, keep=2) == [(1, 0.2), (3, 0.5)]


def test_of_equal_means_the_earlier_update_is_kept():
    assert after([0.5, 0.5, 0.5], ACCURACY, keep=2) == [(1, 0.5), (2, 0.5)]


@pytest.mark.parametrize("unit", [ACCURACY, SQUARED_ERROR])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_comes_last(unit, value):
    assert [update for update, _ in after([value, 0.5, 0.1], unit, keep=3)][-1] == 1
