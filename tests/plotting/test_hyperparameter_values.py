"""Hyperparameter values: as traced, as arrays and as CSV."""

import csv
import io
from functools import partial

import numpy as np
import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.learners.tracing import trace
from alfa_md.plotting.hyperparameter_values import HEADING, HyperparameterValues, measure_hyperparameters, tensor_label
from alfa_md.rules.lslr_decay import lslr_decay
from alfa_md.rules.sgd import sgd
from tests.episodes import smooth_net
from tests.noise import noise_learner
from tests.plotting.loaded_runs import loaded_run

EPISODES = 3


def measured(about, number=EPISODES) -> HyperparameterValues:
    return measure_hyperparameters(about, map(about.episode, range(number)))


def test_values_are_those_of_the_trace():
    about = loaded_run()
    found = measured(about)
    for index in range(EPISODES):
        seen = trace(about.learner, about.episode(index))
        expected = {"alpha": seen.values["rates"], "beta": 1 - seen.values["decays"]}
        expected |= {"a": seen.values["generated_rates"], "d": seen.values["generated_decays"]}
        expected |= {"A": seen.values["multiplier_rates"], "B": seen.values["multiplier_decays"]}
        assert list(found.values) == list(expected)
        for name, values in expected.items():
            assert np.array_equal(found.values[name][index], values.numpy()), name
    assert found.tensors == seen.names
    alpha = found.values["a"] * found.values["A"]
    assert np.allclose(found.values["alpha"], alpha, rtol=1e-6)


def test_the_csv_holds_every_number():
    found = measured(loaded_run())
    heading, *rows = csv.reader(io.StringIO(found.csv().decode()))
    assert tuple(heading) == HEADING == ("episode", "step", "tensor", "quantity", "value")
    assert len(rows) == EPISODES * 2 * 8 * 6  # steps, tensors, quantities
    for episode, step, tensor, quantity, value in rows:
        assert float(value) == found.values[quantity][int(episode), int(step), found.tensors.index(tensor)]
    assert len({tuple(row[:4]) for row in rows}) == len(rows)


@pytest.mark.parametrize(("rule", "decay"), [(sgd, {}), (lslr_decay, {"inner_decay": 0.25})])
def test_other_rules_have_effective_values_alone(rule, decay):
    found = measured(loaded_run(noise_learner(rule=partial(rule, inner_rate=0.5, **decay))))
    assert list(found.values) == ["alpha", "beta"]
    assert (found.values["alpha"] == 0.5).all() and (found.values["beta"] == (0.75 if decay else 1)).all()
    assert found.task_spread() == 0 and found.warning() is None  # nothing is generated, nothing is wrong


@pytest.mark.parametrize(
    "learner",
    [PrototypicalLearner(smooth_net()), noise_learner(num_steps=0, rule=partial(sgd, inner_rate=0.1))],
)
def test_a_learner_without_inner_steps_is_refused(learner):
    with pytest.raises(UserError, match=rf"^tiny: its {type(learner).__name__} takes no inner steps with rates; "):
        measured(loaded_run(learner))


def test_a_generator_that_gives_every_task_the_same_is_warned_of():
    still = measured(loaded_run(noise_learner()))  # identity initialisation: a = d = 1 whatever the state
    assert still.task_spread() == 0
    assert still.warning().startswith("warning: the spread of alpha over tasks is about 0 (0 % of a rate at most)")
    assert measured(loaded_run(noise_learner()), number=1).warning() is None  # one task says nothing
    assert measured(loaded_run()).warning() is None


def test_the_spread_is_a_share_of_each_rate():
    alpha = np.array([[[100.0, 1.0, 0.0]], [[101.0, -3.0, 0.0]]])
    found = HyperparameterValues((), (), {"alpha": alpha, "beta": alpha, "a": alpha})
    assert found.task_spread() == pytest.approx(4 / 3) and found.warning() is None
    close = np.array([[[100.0]], [[100.05]]])
    assert "0.05 %" in found._replace(values={"alpha": close, "a": close}).warning()


def test_labels_name_shapes_and_what_changes_with_the_episode():
    assert tensor_label("head.weight", [(5, 64), (7, 64)]) == "head.weight [n×64]"
    assert tensor_label("backbone.0.weight", [(4, 3, 3, 3)] * 2) == "backbone.0.weight [4×3×3×3]"
    assert tensor_label("scale", [()]) == "scale []"
    assert measured(loaded_run()).labels[0] == "backbone.0.weight [4×3×3×3]"


def test_rates_that_are_not_finite_are_kept_and_not_warned_of():
    learner = noise_learner()
    with torch.no_grad():
        learner.rule.hypers.second.lr.values[0, 0] = float("nan")
    found = measured(loaded_run(learner))
    assert np.isnan(found.values["alpha"][:, 0, 0]).all() and b"nan" in found.csv()
