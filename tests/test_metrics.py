"""Means and intervals against values computed by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, mean_ci, paired_difference

accuracies = st.lists(st.floats(0, 1), min_size=1, max_size=40)
quick = settings(max_examples=50, deadline=None)  # a loaded machine may pause anywhere
pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)


def test_interval_by_hand():
    """Deviations -0.2, 0, 0.2: variance 0.08 / 3 (not / 2), std 0.1632993, interval 1.96 * std / sqrt(3)."""
    mean, ci95, n, _ = mean_ci([0.5, 0.7, 0.9])
    assert (mean, n) == (pytest.approx(0.7), 3)
    assert ci95 == pytest.approx(0.1847906, abs=1e-7)


def test_interval_of_600_episodes():
    """Half of them 0.4, half 0.6: std 0.1, interval 1.96 * 0.1 / 24.494897."""
    assert mean_ci([0.4, 0.6] * 300) == (pytest.approx(0.5), pytest.approx(0.008001667, abs=1e-9), 600, 0)


def test_one_episode_has_a_zero_interval():
    assert mean_ci([0.25]) == MeanCI(0.25, 0.0, 1)


def test_no_episode_is_an_error():
    with pytest.raises(ValueError, match="no episodes"):
        mean_ci([])


def test_accuracies_have_the_form_of_the_leaderboard_and_errors_three_digits():
    assert ACCURACY.text(MeanCI(0.61412, 0.009876, 600)) == "61.41±0.99"
    assert ACCURACY.text(MeanCI(-0.005, 0.1, 9)) == "-0.50±10.00"
    assert SQUARED_ERROR.text(MeanCI(0.61412, 0.009876, 600)) == "0.614±0.010"


def test_paired_difference_by_hand():
    """Differences 0.1, 0, 0.2: mean 0.1, std sqrt(0.02 / 3) = 0.0816497, interval 0.0923953."""
    mean, ci95, n, _ = paired_difference([0.5, 0.7, 0.9], [0.4, 0.7, 0.7])
    assert (mean, n) == (pytest.approx(0.1), 3)
    assert ci95 == pytest.approx(0.0923953, abs=1e-7)


def test_pairing_removes_shared_variance():
    a, b = [0.1, 0.5, 0.9], [0.05, 0.45, 0.85]
    assert paired_difference(a, b).ci95 < 1e-12 < mean_ci(a).ci95


def test_unequal_lengths_cannot_be_paired():
    with pytest.raises(ValueError, match="2 episodes cannot be paired with 1"):
        paired_difference([0.1, 0.2], [0.1])


@quick
@given(accuracies, st.floats(-1, 1), st.floats(0.1, 3))
def test_shift_and_scale(values, shift, scale):
    plain, changed = mean_ci(values), mean_ci([scale * value + shift for value in values])
    assert changed.mean == pytest.approx(scale * plain.mean + shift, abs=1e-9)
    assert changed.ci95 == pytest.approx(scale * plain.ci95, abs=1e-9)


@quick
@given(accuracies, st.integers(2, 5))
def test_repeating_all_episodes_narrows_by_the_root(values, times):
    assert mean_ci(values * times).ci95 == pytest.approx(mean_ci(values).ci95 / times**0.5, abs=1e-9)


@quick
@given(pairs)
def test_difference_is_antisymmetric_and_that_of_the_means(values):
    a, b = zip(*values, strict=True)
    forth, back = paired_difference(a, b), paired_difference(b, a)
    assert forth.mean == -back.mean and forth.ci95 == back.ci95
    assert forth.mean == pytest.approx(mean_ci(a).mean - mean_ci(b).mean, abs=1e-9)
