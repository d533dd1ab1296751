"""Runs stored by an earlier version: resumed, evaluated and plotted with the same results."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from tests.entries.harness import needs_tensorflow, run_entry
from tests.shared import ROOT

STORED = ROOT / "tests" / "stored_runs"
NAMES = sorted(path.parent.name for path in STORED.glob("*/config.gin"))
EPISODES = {"sine": 3, "random": 3}
CLOSE = {"rtol": 1e-3, "atol": 1e-5}  # float32 on another processor, or in another order
# A normalised state scales entries that are rounding alone to the order of one; Adam moves what reads them by its rate.
OF_ROUNDING, BY_ROUNDING = "rule.hypers.first.generator.network.", {"rtol": 0, "atol": 2 * 3 * 1e-3}

every_run = pytest.mark.parametrize("name", [pytest.param(name, marks=needs_tensorflow) for name in NAMES])


@pytest.fixture
def run(name, tmp_path) -> Path:
    """A modifiable copy; its miniature was in another cache directory, and git keeps no empty folders."""
    return Path(shutil.copytree(STORED / name, tmp_path / "run"))


def test_there_are_five():
    assert NAMES == ["images", "plain", "pretraining", "random", "sine"]


@every_run
def test_it_goes_on_and_ends_as_it_would_have(run, name):
    before = (run / "config.gin").read_bytes()
    _, *arguments = shlex.split(json.loads((run / "run.json").read_text())["command"])
    arguments = [argument for argument in arguments if not argument.startswith("--run_dir")]
    assert run_entry("train", *arguments, f"--run_dir={run}", cwd=run.parent).code == 0
    state, expected = load_checkpoint(RunDirectory(run).last), load_checkpoint(run / "ended.pt")
    assert state["step"] == 6 and state["learner"].keys() == expected["learner"].keys()
    for tensor, value in expected["learner"].items():
        close = BY_ROUNDING if name == "images" and tensor.startswith(OF_ROUNDING) else CLOSE
        torch.testing.assert_close(state["learner"][tensor], value, **close, msg=lambda text, t=tensor: f"{t}: {text}")
    ranking = json.loads((run / "ranking_at_the_end.json").read_text())
    assert {f"update_{k}.pt": mean for k, mean in state["ranking"].items()} == pytest.approx(ranking, rel=1e-4)
    assert (run / "config.gin").read_bytes() == before


@every_run
def test_its_evaluation_gives_the_scores_of_then(run, name):
    sources = () if name in EPISODES else ("--sources=ilsvrc_2012,omniglot",)
    number = f"--num_episodes={EPISODES.get(name, 2)}"
    assert run_entry("evaluate", f"--run_dir={run}", "--checkpoint=last", number, *sources, cwd=run.parent).code == 0
    content = json.loads((run / "results" / "test-last.json").read_text())
    scores = {source: record["scores"] for source, record in content["sources"].items()}
    expected = json.loads((run / "scores_of_last.json").read_text())
    assert scores.keys() == expected.keys()
    for source in expected:
        assert scores[source] == pytest.approx(expected[source], rel=1e-3)


@every_run
def test_it_is_plotted_and_reported(run, name):
    pytest.importorskip("matplotlib")
    for figure in ("curves", "hyperparameters"):
        where = [run, f"--out={run / figure}"] if figure == "curves" else [f"--run_dir={run}", "--num_episodes=2"]
        outcome = run_entry("plot", figure, *where, cwd=run.parent)
        if figure == "hyperparameters" and name == "pretraining":
            assert "takes no inner steps with rates" in outcome.error
        else:
            assert outcome.code == 0, outcome
    assert run_entry("report", run, f"--out={run / 'report.html'}", cwd=run.parent).code == 0
    assert (run / "report.html").stat().st_size > 10_000
