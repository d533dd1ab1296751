"""The figure of a regression: true curve, support points, and predictions after every inner step."""

import numpy as np
import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.plotting.regression import adapted_curves, chart, plot_regression, x_grid
from tests.episodes import smooth_net
from tests.plotting.images import is_drawn, texts
from tests.plotting.loaded_runs import loaded_run, loaded_sine_run


def test_a_curve_before_the_first_step_and_after_each():
    about = loaded_sine_run(num_steps=3)
    drawn, learner = about.episode(2), about.learner
    found = adapted_curves(learner, drawn, drawn.query_x[:, 0].numpy())
    assert len(found) == 4
    with torch.no_grad():
        first = learner.classify(learner.initial(drawn), drawn.support_x, drawn.query_x)
        last = learner(drawn)
    assert np.allclose(found[0].values, first[:, 0].numpy()) and np.allclose(found[-1].values, last[:, 0].numpy())
    error = (last - drawn.query_y).square().mean().item()
    assert found[-1].score == f"{error:.3f}" and not np.allclose(found[0].values, found[1].values)


def test_what_is_drawn_is_the_episode():
    about = loaded_sine_run()
    drawn = about.episode(1)
    x, truth = x_grid(drawn), about.source.curve(1)
    assert (x[0], x[-1]) == (-5, 5)
    curves = adapted_curves(about.learner, drawn, x)
    (axes,) = chart(about, drawn, truth, x, curves).axes
    true, before, *steps, points = axes.lines
    assert np.allclose(np.interp(drawn.query_x[:, 0], x, true.get_ydata()), drawn.query_y[:, 0], atol=1e-2)
    assert np.array_equal(before.get_ydata(), curves[0].values) and len(steps) == 3
    assert np.array_equal(steps[-1].get_ydata(), curves[-1].values)
    assert np.array_equal(points.get_xydata(), torch.cat([drawn.support_x, drawn.support_y], dim=1).numpy())
    assert (
        len({line.get_color() if isinstance(line.get_color(), str) else tuple(line.get_color()) for line in steps}) == 3
    )


def test_no_inner_step_is_one_curve():
    about = loaded_sine_run(num_steps=3)
    about.learner.num_steps = 0
    drawn = about.episode(0)
    (axes,) = chart(
        about, drawn, about.source.curve(0), x_grid(drawn), adapted_curves(about.learner, drawn, x_grid(drawn))
    ).axes
    assert len(axes.lines) == 3


def test_the_files(tmp_path):
    png, svg = plot_regression(loaded_sine_run(), 4, tmp_path / "fig")
    words = texts(svg)
    assert is_drawn(png) and "tiny: sine test episode 4 of seed 0, 4 support points" in words
    assert {"true curve", "support points"} <= set(words) and any(word.startswith("after step 3, ") for word in words)


def test_what_has_no_curves_is_refused(tmp_path):
    with pytest.raises(UserError, match="^noise has no curves to draw; see `alfa_md.plot episode`$"):
        plot_regression(loaded_run(), 0, tmp_path / "fig")
    about = loaded_sine_run()._replace(learner=PrototypicalLearner(smooth_net()))
    with pytest.raises(UserError, match="^tiny: its PrototypicalLearner has no inner loop to draw$"):
        plot_regression(about, 0, tmp_path / "fig")
    assert list(tmp_path.iterdir()) == []


def test_a_curve_that_diverged_says_so():
    about = loaded_sine_run()
    with torch.no_grad():
        for parameter in about.learner.rule.parameters():
            parameter.mul_(1e20)
    drawn = about.episode(1)
    scores = [curve.score for curve in adapted_curves(about.learner, drawn, x_grid(drawn))]
    assert scores[0] != "diverged" and scores[-1] == "diverged"
    chart(about, drawn, about.source.curve(1), x_grid(drawn), adapted_curves(about.learner, drawn, x_grid(drawn)))
