"""Translation of configurations with old names."""

import pytest

from alfa_md.experiment import renamed


@pytest.fixture(autouse=True)
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
def test_updated(old, new):
    assert renamed.translate(old) == new and renamed.translate(new) == new


def test_the_successor_of_a_parameter():
    assert renamed.current_name("Learner.memory") == "Learner.recompute"
    assert renamed.current_name("Learner.adapt") == "Learner.adapts"
    assert renamed.current_name("Learner.steps") is None
