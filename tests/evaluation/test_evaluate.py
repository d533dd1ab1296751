"""One call evaluates an opened run: the scores of the command, and bad input."""

import json
import shutil

import gin
import pytest

from alfa_md import evaluate, open_run
from alfa_md.errors import UserError
from tests.entries.harness import run_entry
from tests.shared import ROOT

STORED = ROOT / "tests" / "stored_runs" / "sine"


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def test_the_scores_are_those_of_the_command(tmp_path):
    shutil.copytree(STORED, tmp_path / "run")
    assert run_entry("evaluate", "--run_dir=run", "--num_episodes=5", "--device=cpu", cwd=tmp_path).code == 0
    record = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["sources"]["sine"]
    found = evaluate(open_run(STORED), num_episodes=5)
    assert found.keys() == {"sine"} and found["sine"].scores == record["scores"]
    assert (found["sine"].mean, found["sine"].ci95) == (record["mean"], record["ci95"])
    assert str(found["sine"]) == f"{record['mean']:.3f}±{record['ci95']:.3f}"


def test_other_episodes_have_other_scores():
    run = open_run(STORED)
    first, *others = (evaluate(run, ["sine"], 2, *more)["sine"].scores for more in ((), ("valid",), ("test", 1)))
    assert first not in others and len(first) == 2


def test_bad_input_is_named():
    run = open_run(STORED)
    with pytest.raises(UserError, match="^evaluate.num_episodes = 0 must be at least 1"):
        evaluate(run, num_episodes=0)
    with pytest.raises(UserError, match="^evaluate: split='tset' must be one of train, valid, test"):
        evaluate(run, split="tset")
    with pytest.raises(UserError, match="^source '../sine' is not the name of a folder"):
        evaluate(run, ["../sine"])
