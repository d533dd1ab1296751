"""The choice of hyperparameters: the order of points, what is refused, and a regression without records."""

import json
import math

import pytest

from alfa_md.errors import UserError
from alfa_md.evaluation.choice import PointScores, choose_all, grids, values_at_end
from alfa_md.evaluation.options import EvaluationOptions
from alfa_md.evaluation.run import evaluate_run
from alfa_md.evaluation.seeds import evaluate_seeds
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, Unit
from alfa_md.system.distributed import SINGLE_PROCESS
from alfa_md.training.run import TrainingOptions, train_run
from tests.noise import CPU

OPTIONS = EvaluationOptions("best", ["all"], 3, "test", [], None, 0, CPU, choose_episodes=4)
STEPS = "GradientLearner.additional_evaluation_steps=0,2,4"


def scored(unit: Unit, *means: float) -> PointScores:
    results = {str(k): MeanCI(mean, 0.1, 4, int(math.isnan(mean))) for k, mean in enumerate(means)}
    return PointScores({"A.b": "1"}, unit, results, {})


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> RunDirectory:
    """A run on sine curves."""
    return sine_run(tmp_path_factory.mktemp("sine") / "seed0")


def sine_run(folder, seed=0) -> RunDirectory:
    small = ["train.num_updates = 2", "train.num_validation_episodes = 2", "HIDDEN = (4, 4)", "NUM_FEATURES = 4"]
    train_run(RunDirectory(folder), TrainingOptions("sine", ["gin/paper/table8_alfa_maml.gin"], small, None, seed, CPU))
    return RunDirectory(folder)


def test_the_higher_accuracy_and_the_lower_error_are_better():
    assert scored(ACCURACY, 0.5, 0.7).merit == pytest.approx(0.6) and scored(SQUARED_ERROR, 2.0).merit == -2.0
    assert scored(SQUARED_ERROR, 2.0, math.nan).merit == -math.inf  # no mean over all sources
    assert scored(SQUARED_ERROR, 2.0, math.nan).content()["mean"] is None


def test_values_at_an_end_of_the_grid():
    grid = {"A.b": ("0.1", "1e-3", "0.01"), "A.c": ("5",), "A.d": ("@x", "@y")}
    assert values_at_end(grid, {"A.b": "1e-3", "A.c": "5", "A.d": "@x"}) == ["A.b = 1e-3"]
    assert values_at_end(grid, {"A.b": "0.01", "A.c": "5", "A.d": "@x"}) == []


def test_names_of_a_grid_belong_to_the_baseline_that_has_them():
    options = OPTIONS._replace(baselines=["pixel", "fine_tuning"])
    own, rate, other = "GradientLearner.num_steps=1,2", "FineTuningLearner.rate=3", "FineTuningLearner.rule=@sgd,@adam"
    found = grids(options._replace(grid=[own, rate, other]))
    assert list(found) == ["", "fine_tuning"] and found[""] == {"GradientLearner.num_steps": ("1", "2")}
    assert found["fine_tuning"]["FineTuningLearner.rate"] == ("3",)
    assert found["fine_tuning"]["FineTuningLearner.rule"] == ("@sgd", "@adam")
    assert len(found["fine_tuning"]["FineTuningLearner.num_steps"]) == 2  # the default of the baseline
    assert grids(OPTIONS) == {} and grids(options._replace(grid=[rate]))[  # of a learner that is not evaluated
        "fine_tuning"
    ]["FineTuningLearner.rate"] == ("3",)
    assert list(grids(OPTIONS._replace(grid=[rate]))) == [""]


def test_test_episodes_choose_nothing():
    for options in (OPTIONS, OPTIONS._replace(grid=[STEPS]), OPTIONS._replace(split="train", grid=[STEPS])):
        with pytest.raises(UserError, match="--choose_on=test: hyperparameters chosen on test episodes spoil the test"):
            grids(options._replace(choose_on="test"))
    with pytest.raises(UserError, match="--split=valid: hyperparameters are chosen on the same episodes"):
        grids(OPTIONS._replace(grid=[STEPS], split="valid"))
    assert grids(OPTIONS._replace(grid=[STEPS], split="valid", choose_on="train"))


def test_a_regression_chooses_the_lowest_error(trained, capsys):
    evaluate_run(trained, OPTIONS._replace(grid=[STEPS], name="chosen", choose_on="valid"))
    protocol = json.loads((trained.results / "test-chosen.json").read_text())["protocol"]
    errors = {point["values"][STEPS.partition("=")[0]]: point["mean"] for point in protocol["choice"]["points"]}
    (chosen,) = protocol["choice"]["chosen"].values()
    assert len(set(errors.values())) == 3 and errors[chosen] == min(errors.values())
    assert protocol["inner_steps"] == 5 + int(chosen) and protocol["unit"] == "squared error"
    assert "squared error" in capsys.readouterr().out


def test_what_has_no_effect_is_refused_before_anything_is_scored(trained):
    for grid, line in (
        (["LinearProbeLearner.l2=1,2"], "--grid: nothing uses LinearProbeLearner.l2 in this evaluation"),
        (["GradientLearner.num_steps=1,-1"], "^gin: GradientLearner.num_steps = -1 must be a whole number"),
        (["GradientLearner.num_step=1"], "doesn't have a parameter named 'num_step'"),
    ):
        before = sorted(trained.path.rglob("*"))
        with pytest.raises(UserError, match=line):
            choose_all(trained, OPTIONS._replace(grid=grid, name="x"), SINGLE_PROCESS)
        assert sorted(trained.path.rglob("*")) == before


def test_a_baseline_of_another_unit_or_of_the_run_s_own_kind_is_refused(trained):
    with pytest.raises(UserError, match="--baselines: linear_probe is judged by accuracy, this run is not; drop it"):
        evaluate_run(trained, OPTIONS._replace(baselines=["linear_probe"]))
    part = ["include 'gin/parts/fine_tuning.gin'", "BACKBONE = @RegressionMLP()"]
    with pytest.raises(UserError, match="--baselines=fine_tuning: the run's own learner is a FineTuningLearner"):
        evaluate_run(trained, OPTIONS._replace(baselines=["fine_tuning"], gin_bindings=part, name="x"))


@pytest.mark.slow
def test_every_seed_has_a_choice_of_its_own(trained):
    sine_run(trained.path.parent / "seed1", seed=1)
    evaluate_seeds(str(trained.path.parent), [0, 1], OPTIONS._replace(grid=[STEPS], name="chosen"))
    content = json.loads((trained.path.parent / "results" / "test-chosen-seeds.json").read_text())
    assert len(content["protocol"]["choice"]) == len(content["protocol"]["bindings"]) == 2
