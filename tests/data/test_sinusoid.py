"""Sine regression episodes: shapes, distribution and reproducibility."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from alfa_md.data.sampling import Sampling, stable_rng
from alfa_md.data.sinusoid import Points, Sinusoids, sinusoids
from alfa_md.errors import MissingSplit, UserError


def source(split="train", points=None, seed=0, name="sinusoid"):
    return sinusoids(Path("nowhere"), name, split, points or Points(), seed)


@pytest.mark.parametrize("split, queries", [("train", 4), ("valid", 100), ("test", 100)])
def test_shapes_and_names(split, queries):
    episode = source(split, Points(shots=5, queries=4), seed=3).episode(7)
    assert episode.support_x.shape == episode.support_y.shape == (5, 1)
    assert episode.query_x.shape == episode.query_y.shape == (queries, 1)
    assert all(tensor.dtype == torch.float32 for tensor in episode[:4])
    assert episode.way == 1 and episode.name == f"sinusoid {split} episode 7 of seed 3"


@pytest.mark.parametrize("split", ["train", "test"])
def test_values_lie_on_the_curve_that_the_source_names(split):
    ours = source(split)
    for index in range(5):
        episode = ours.episode(index)
        amplitude, frequency, phase = ours.curve(index)
        for x, y in ((episode.support_x, episode.support_y), (episode.query_x, episode.query_y)):
            torch.testing.assert_close(y, amplitude * torch.sin(frequency * x + phase), rtol=1e-5, atol=1e-5)


def test_one_curve_by_hand():
    rng = stable_rng(5, "sinusoid", "train", 2)
    u = rng.random_sample(3)
    expected = (0.1 + 4.9 * u[0], 0.8 + 0.4 * u[1], math.pi * u[2])
    assert source(seed=5).curve(2) == pytest.approx(expected, rel=1e-12)
    assert source(seed=5).episode(2).support_x[:, 0].numpy() == pytest.approx(10 * rng.random_sample(10) - 5, rel=1e-5)


def test_test_points_are_evenly_spaced():
    x = source("test").episode(0).query_x
    torch.testing.assert_close(x, torch.linspace(-5, 5, 100)[:, None])


def test_distribution_of_curves_and_points():
    """Kolmogorov-Smirnov distance from the uniform distribution, at the 0.1 % level."""
    ours = source(points=Points(shots=1, queries=1))
    curves = np.array([ours.curve(index) for index in range(2000)])
    points = [torch.cat([e.support_x[0], e.query_x[0]]) for e in map(ours.episode, range(2000))]
    columns = np.hstack([curves, torch.stack(points).numpy()])
    bounds = [(0.1, 5.0), (0.8, 1.2), (0.0, math.pi), (-5.0, 5.0), (-5.0, 5.0)]
    for column, (low, high) in zip(columns.T, bounds, strict=True):
        u = np.sort((column - low) / (high - low))
        assert 0 <= u[0] and u[-1] <= 1
        assert np.abs(u - (np.arange(2000) + 0.5) / 2000).max() < 1.95 / math.sqrt(2000)
    assert np.abs(np.corrcoef(columns.T) - np.eye(5)).max() < 0.09


def test_an_episode_depends_on_its_name_alone():
    drawn = source().episode(3)
    other_order = source()
    other_order.episode(9)
    assert torch.equal(other_order.episode(3).support_x, drawn.support_x)
    for other in (source(seed=1), source("valid"), source(name="waves")):
        assert other.curve(3) != source().curve(3)
    assert source().curve(4) != source().curve(3)


def test_smaller_shots_are_prefixes_of_larger_ones():
    few, many = (source("test", Points(shots=k)).episode(1) for k in (5, 20))
    assert torch.equal(few.support_x, many.support_x[:5]) and torch.equal(few.query_y, many.query_y)


def test_the_stamp_has_the_query_distribution():
    assert source().stamp()["query"] == "uniform" and source("test").stamp()["query"] == "100 evenly spaced points"
    assert source().stamp()["amplitude"] == [0.1, 5.0]


def test_bad_input_is_one_line():
    with pytest.raises(MissingSplit, match="sinusoid has no split 'validation'; there are train, valid, test"):
        Sinusoids("sinusoid", "validation", Points(), 0)
    with pytest.raises(UserError, match="sampled by Points, not Sampling; set sampling = @Points()"):
        sinusoids(Path("."), "sinusoid", "train", Sampling(), 0)
    with pytest.raises(UserError, match="Points.shots = 0 must be at least 1"):
        Points(shots=0)
