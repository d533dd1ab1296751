"""Few-shot sine regression: ALFA, initialised at the identity, beats MAML at equal outer updates for every seed.

Compared by the median over test curves: generated rates are unbounded, so that the inner loop may diverge on one curve
in hundreds, more often after so few updates (RESULTS.md has the worst curve of every long run).
"""

import json
import math
from statistics import median

import pytest

from alfa_md.evaluation.run import EvaluationOptions, evaluate_run
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training.run import TrainingOptions, train_run
from tests.noise import CPU

BUDGET = ["train.num_updates = 500", "train.num_validation_episodes = 20", "train.log_every = 50"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_alfa_leads_maml(tmp_path, seed):
    errors = {}
    for row in ("table8_maml", "table8_alfa_maml"):
        run = RunDirectory(tmp_path / row)
        train_run(run, TrainingOptions(row, [f"gin/paper/{row}.gin"], BUDGET, None, seed, CPU))
        evaluate_run(run, EvaluationOptions("best", ["all"], 200, "test", [], None, 0, CPU))
        errors[row] = json.loads((run.results / "test.json").read_text())["sources"]["sine"]["scores"]
        losses = [json.loads(line).get("loss", 0.0) for line in run.metrics.read_text().splitlines()]
        assert all(map(math.isfinite, losses)) and len(losses) == 11
    assert median(errors["table8_alfa_maml"]) < 0.75 * median(errors["table8_maml"])
