"""Translation of configurations with old names."""

import inspect
from importlib import import_module

import gin
import pytest

from alfa_md.experiment import renamed
from tests.shared import ROOT


@pytest.fixture
def names(monkeypatch):
    monkeypatch.setattr(renamed, "CONFIGURABLES", {"fast": "keep_all"})
    monkeypatch.setattr(renamed, "PARAMETERS", {"Learner.memory": "Learner.recompute", "keep_all.a": "keep_all.b"})
    monkeypatch.setattr(renamed, "VALUES", {("Learner.adapt", "True"): ("Learner.adapts", "@everything")})


@pytest.mark.parametrize(
    "old, new",
    [
        ("import alfa_md.training", "import alfa_md.training.loop"),
        ("import alfa_md.training as alfa_md3", "import alfa_md.training.loop as alfa_md3"),
        ("import alfa_md.training.loop", "import alfa_md.training.loop"),
        ("import gin\nimport alfa_md.precision", "import gin\nimport alfa_md.kernels.precision"),
        ("Learner.memory = @fast", "Learner.recompute = @keep_all"),
        ("a/Learner.memory = @b/alfa_md.recomputation.fast()  # why", "a/Learner.recompute = @b/keep_all()  # why"),
        ("alfa_md.x.Learner.memory = (@fast, @faster)", "alfa_md.x.Learner.recompute = (@keep_all, @faster)"),
        ("fast.a = 1", "keep_all.b = 1"),
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


OLD = [line.split(" ") for line in (ROOT / "tests" / "stored_runs" / "configurables.txt").read_text().splitlines()]


@pytest.mark.parametrize("module", sorted({module for module, *_ in OLD}))
def test_everything_that_could_be_bound_at_78b7539_can_be_bound(module):
    """Its import, its configurables and their parameters, in the names of then: all exist, or have a name of today."""
    line = renamed.translate(f"import {module}")
    import_module(line.removeprefix("import "))
    for _, configurable, parameters in (row for row in OLD if row[0] == module):
        name = renamed.translate(f"@{configurable}").removeprefix("@")
        today = inspect.signature(gin.get_configurable(name)).parameters
        for parameter in filter(None, parameters.split(",")):
            current = renamed.current_name(f"{name}.{parameter}") or f"{name}.{parameter}"
            assert current.split(".")[1] in today, f"{configurable}.{parameter}"
