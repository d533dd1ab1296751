"""Translation of configurations with old names."""

import inspect
from importlib import import_module

import gin
import pytest

from alfa_md.experiment import renamed
from tests.shared import ROOT


@pytest.fixture
def names(monkeypatch):
    values = {("Learner.adapt", "True"): ("Learner.adapts", "@everything")}
    values |= {("Learner.memory", "@fast"): ("Learner.recompute", "@keep_all")}
    monkeypatch.setattr(renamed, "PARAMETERS", {"Learner.memory": "Learner.recompute"})
    monkeypatch.setattr(renamed, "VALUES", values)


@pytest.mark.parametrize(
    "old, new",
    [
        ("import alfa_md.training", "import alfa_md.training.loop"),
        ("import alfa_md.training as alfa_md3", "import alfa_md.training.loop as alfa_md3"),
        ("import alfa_md.training.loop", "import alfa_md.training.loop"),
        ("import gin\nimport alfa_md.precision", "import gin\nimport alfa_md.kernels.precision"),
        ("Learner.memory = @fast", "Learner.recompute = @keep_all"),
        ("a/Learner.memory = @alfa_md.recomputation.fast  # why", "a/Learner.recompute = @keep_all  # why"),
        ("alfa_md.x.Learner.memory = @own", "alfa_md.x.Learner.recompute = @own"),
        ("train.schedule = @fast\nfast.a = 1", "train.schedule = @fast\nfast.a = 1"),  # a user's own
        ("Learner.adapt = True", "Learner.adapts = @everything"),
        ("  Learner.adapt = True  # as published", "  Learner.adapts = @everything  # as published"),
        ("Learner.adapt = %FLAG", "Learner.adapt = %FLAG"),
        ("MEMORY = 'fast'", "MEMORY = 'fast'"),
        ("# Parameters for Learner:\nLearner.steps = 2", "# Parameters for Learner:\nLearner.steps = 2"),
    ],
)
def test_updated(names, old, new):
    assert renamed.translate(old) == new and renamed.translate(new) == new


def test_the_successor_of_a_parameter(names):
    assert renamed.current_name("Learner.memory") == "Learner.recompute"
    assert renamed.current_name("Learner.adapt") == "Learner.adapts"
    assert renamed.current_name("Learner.steps") is None


# Functions that are the values of a parameter, old -> new.
VALUES = {old.removeprefix("@"): new.removeprefix("@") for (_, old), (_, new) in renamed.VALUES.items()}
OLD = [line.split(" ") for line in (ROOT / "tests" / "stored_runs" / "configurables.txt").read_text().splitlines()]


@pytest.mark.parametrize("module", sorted({module for module, *_ in OLD}))
def test_everything_that_could_be_bound_at_78b7539_can_be_bound(module):
    """Its import, its configurables and their parameters, in the names of then: all exist, or have a name of today."""
    line = renamed.translate(f"import {module}")
    import_module(line.removeprefix("import "))
    for _, configurable, parameters in (row for row in OLD if row[0] == module):
        name = VALUES.get(configurable, configurable)
        today = inspect.signature(gin.get_configurable(name)).parameters
        for parameter in filter(None, parameters.split(",")):
            current = renamed.current_name(f"{name}.{parameter}") or f"{name}.{parameter}"
            assert current.split(".")[1] in today, f"{configurable}.{parameter}"
