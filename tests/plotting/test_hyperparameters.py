"""The figures of hyperparameters: files, panels, and plotted values."""

from functools import partial

import numpy as np
import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.plotting.hyperparameter_values import measure_hyperparameters
from alfa_md.plotting.hyperparameters import draw_panels, figure_layouts, panel_at_step, plot_hyperparameters
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.sgd import sgd
from tests.noise import noise_learner
from tests.plotting.images import is_drawn, opened, texts
from tests.plotting.loaded_runs import loaded_run

STEPS, TENSORS = 2, 8  # of the tiny learner


def drawn(about, number=5):
    """Suffix -> figure, and the values."""
    found = measure_hyperparameters(about, map(about.episode, range(number)))
    return {
        ending: draw_panels(title, found.labels, panels) for ending, title, panels in figure_layouts(found, 1)
    }, found


def test_alfa_has_three_figures_and_a_table(tmp_path):
    written = plot_hyperparameters(loaded_run(), 3, None, tmp_path / "fig")
    names = [f"fig{ending}.{kind}" for ending in ("", "-generated", "-multipliers") for kind in ("png", "svg")]
    assert [path.name for path in written] == [*names, "fig.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "fig.csv"])
    for path in written[:-1]:
        opened(path)
    assert is_drawn(tmp_path / "fig.png") and (tmp_path / "fig.csv").read_text().count("\n") == 1 + 3 * 2 * 8 * 6
    words = texts(tmp_path / "fig.svg")
    assert "backbone.0.weight [4×3×3×3]" in words and "tiny, 3 test episodes of noise" in words
    assert {"α by inner step", "β = 1 − decay by inner step", "at step 1"} <= set(words)
    assert {"a by inner step", "d by inner step"} <= set(texts(tmp_path / "fig-generated.svg"))
    assert {"A by inner step", "B by inner step"} <= set(texts(tmp_path / "fig-multipliers.svg"))


def test_a_rule_that_generates_nothing_has_one_figure(tmp_path, capsys):
    learner = noise_learner(rule=partial(sgd, inner_rate=0.5))
    written = plot_hyperparameters(loaded_run(learner), 2, 0, tmp_path / "fig")
    assert [path.name for path in written] == ["fig.png", "fig.svg", "fig.csv"]
    words = texts(tmp_path / "fig.svg")
    assert words.count("for every task") == 2 * TENSORS and words.count("0.5") >= TENSORS
    assert "warning" not in capsys.readouterr().out


def test_a_generator_without_effect_prints_a_warning(tmp_path, capsys):
    plot_hyperparameters(loaded_run(noise_learner()), 2, None, tmp_path / "fig")
    assert "warning: the spread of alpha over tasks is about 0" in capsys.readouterr().out


def test_boxes_and_medians_are_those_of_the_values():
    figures, found = drawn(loaded_run())
    assert list(figures) == ["", "-generated", "-multipliers"]
    for ending, (left, right) in {"": ("alpha", "beta"), "-generated": ("a", "d")}.items():
        axes = np.array(figures[ending].axes).reshape(TENSORS, 4)
        for tensor in range(TENSORS):
            for panel, name in ((0, left), (2, right)):
                values = found.values[name][:, :, tensor]
                line, *others = axes[tensor, panel].lines
                assert np.allclose(line.get_ydata(), np.median(values, axis=0)) and list(line.get_xdata()) == [0, 1]
                highest = max(np.max(each.get_ydata(), initial=-np.inf) for each in others)
                assert highest == pytest.approx(values.max())
                enlarged_values = axes[tensor, panel + 1].lines[0].get_ydata()
                assert enlarged_values == pytest.approx([0], abs=1e-12)
                assert axes[tensor, panel + 1].get_xlabel() == f"0: median {np.median(values[:, 1]):.5g}"
    multipliers = np.array(figures["-multipliers"].axes).reshape(TENSORS, 2)
    assert np.allclose(multipliers[3, 0].lines[0].get_ydata(), found.values["A"][0, :, 3])


def test_the_enlarged_step_is_the_one_asked_for(tmp_path):
    plot_hyperparameters(loaded_run(), 2, 0, tmp_path / "fig")
    assert "at step 0" in texts(tmp_path / "fig.svg")
    with pytest.raises(UserError, match="^--step=2: tiny takes inner steps 0 to 1$"):
        plot_hyperparameters(loaded_run(), 2, 2, tmp_path / "other")
    assert not list(tmp_path.glob("other*"))


def test_values_that_are_not_finite_do_not_stop_the_figure():
    values = {"alpha": np.array([[[np.nan, 1.0]], [[np.inf, 2.0]]])}
    figure = draw_panels("title", ["a", "b"], [panel_at_step("alpha", values, 0)])
    assert [text.get_text() for text in figure.axes[0].texts][0] == "not finite"
    assert figure.axes[1].get_xlabel() == "0: median 1.5"


def test_other_hyperparameters_of_a_rule_are_drawn_by_their_name(tmp_path):
    about = loaded_run(noise_learner(rule=partial(Momentum, inner_rate=0.1)))
    plot_hyperparameters(about, 3, None, tmp_path / "fig")
    assert {"α by inner step", "momenta by inner step"} <= set(texts(tmp_path / "fig.svg"))
    assert ",momenta,0.9" in (tmp_path / "fig.csv").read_text().replace("0.8999999761581421", "0.9")


def test_episodes_that_diverge_are_counted(tmp_path, capsys):
    about = loaded_run(noise_learner(rule=partial(Momentum, inner_rate=0.1)))
    with torch.no_grad():
        next(about.learner.rule.parameters()).fill_(float("inf"))
    plot_hyperparameters(about, 2, None, tmp_path / "fig")
    told = "2 test episodes of noise; diverged 2 of 2, whose values are left out where not finite"
    assert told in capsys.readouterr().out and told in " ".join(texts(tmp_path / "fig.svg"))
