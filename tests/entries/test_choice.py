"""`evaluate` with hyperparameters that are chosen on validation episodes: fine-tuning, the linear probe, and a grid."""

import json

import pytest

from tests.entries.harness import contents, copied, needs_tensorflow, run_entry

pytestmark = needs_tensorflow
FEW = ("--sources=omniglot", "--num_episodes=2", "--choose_episodes=3")
PENALTIES = "--grid=LinearProbeLearner.l2=100.0,0.01,0.02"
TUNING = ("--grid=FineTuningLearner.rate=0.0, 0.05", "--grid=FineTuningLearner.num_steps=2")


def evaluate(run, *flags):
    outcome = run_entry("evaluate", f"--run_dir={run}", *FEW, *flags, cwd=run.parent)
    assert outcome.code == 0, outcome
    return outcome.out


def stored(run, stem) -> dict:
    return json.loads((run / "results" / f"{stem}.json").read_text())


@pytest.fixture(scope="module")
def evaluated_baselines(own_cache, trained, tmp_path_factory):
    """A run with the results of both baselines, and what the evaluation printed."""
    run = copied(trained, tmp_path_factory.mktemp("baselines") / "run")
    return run, evaluate(run, "--baselines=linear_probe,fine_tuning", PENALTIES, *TUNING)


@pytest.fixture(scope="module")
def own_cache(cache):
    from tests.entries.harness import environment

    with environment(cache):
        yield


def test_the_record_has_the_grid_every_score_and_the_validation_episodes(evaluated_baselines):
    run, printed = evaluated_baselines
    choice = stored(run, "test-linear_probe")["protocol"]["choice"]
    assert choice["grid"] == {"LinearProbeLearner.l2": ["100.0", "0.01", "0.02"]}
    assert [point["values"] for point in choice["points"]] == [
        {"LinearProbeLearner.l2": value} for value in ("100.0", "0.01", "0.02")
    ]
    episodes = choice["episodes"]
    assert (episodes["split"], episodes["seed"], episodes["number"]) == ("valid", 0, 3)
    assert list(episodes["sources"]) == ["ilsvrc_2012"] and episodes["sources"]["ilsvrc_2012"]["digests"]
    assert "linear_probe, chosen on 3 valid episodes of ilsvrc_2012" in " ".join(printed.split())


def test_the_best_on_validation_episodes_is_evaluated(evaluated_baselines):
    run, _ = evaluated_baselines
    for name, parameter, stamped in (
        ("linear_probe", "LinearProbeLearner.l2", "l2"),
        ("fine_tuning", "FineTuningLearner.rate", "rate"),
    ):
        protocol = stored(run, f"test-{name}")["protocol"]
        means = [point["mean"] for point in protocol["choice"]["points"]]
        best = protocol["choice"]["points"][means.index(max(means))]["values"]
        assert protocol["choice"]["chosen"] == best and protocol[stamped] == float(best[parameter])
        assert len(set(means)) > 1 and protocol["split"] == "test" and protocol["updates"] == 2


def test_scores_of_all_points_are_of_validation_episodes_alone(evaluated_baselines):
    run, _ = evaluated_baselines
    files = {path: json.loads(path.read_text()) for path in (run / "results" / "choice").glob("*.json")}
    assert len(files) == 5
    for path, content in files.items():
        assert content["protocol"]["split"] == "valid" and list(content["sources"]) == ["ilsvrc_2012"], path
    points = stored(run, "test-linear_probe")["protocol"]["choice"]["points"]
    measured = {tuple(c["protocol"]["bindings"]): c["sources"]["ilsvrc_2012"]["scores"] for c in files.values()}
    for point in points:
        scores = measured[(f"LinearProbeLearner.l2 = {point['values']['LinearProbeLearner.l2']}",)]
        assert len(scores) == 3 and point["mean"] == pytest.approx(sum(scores) / 3)


def test_the_run_s_own_results_are_what_they_are_without_a_choice(evaluated_baselines, evaluated):
    run, _ = evaluated_baselines
    own, alone = stored(run, "test"), stored(evaluated, "test")
    assert own["protocol"] == alone["protocol"] and "choice" not in own["protocol"]
    assert own["sources"]["omniglot"]["scores"] == alone["sources"]["omniglot"]["scores"]


def test_the_same_command_again_measures_nothing(evaluated_baselines):
    run, _ = evaluated_baselines
    before = contents(run)
    evaluate(run, "--baselines=linear_probe,fine_tuning", PENALTIES, *TUNING)
    assert contents(run) == before


@pytest.mark.slow
def test_more_values_add_their_points_only(evaluated_baselines, tmp_path):
    run = copied(evaluated_baselines[0], tmp_path / "run")
    before = contents(run / "results" / "choice")
    evaluate(run, "--baselines=linear_probe", f"{PENALTIES},0.5")
    after = contents(run / "results" / "choice")
    added = [name for name in after.keys() - before.keys() if not name.endswith(".lock")]
    assert len(added) == 1 and "l2=0.5" in added[0] and after.items() >= before.items()


def test_as_the_learner_of_an_evaluation_the_probe_gives_the_scores_of_the_baseline(evaluated_baselines, tmp_path):
    """The part of gin, whose grid is the run's own, takes the backbone alone from a checkpoint of another learner."""
    run = copied(evaluated_baselines[0], tmp_path / "run")
    part = "--gin_bindings=include 'gin/parts/linear_probe.gin'"
    printed = evaluate(run, part, "--name=probe", PENALTIES)
    own, baseline = stored(run, "test-probe"), stored(run, "test-linear_probe")
    assert own["protocol"]["learner"] == "LinearProbeLearner" and own["protocol"]["l2"] == baseline["protocol"]["l2"]
    assert own["sources"]["omniglot"]["scores"] == baseline["sources"]["omniglot"]["scores"]
    assert own["protocol"]["choice"] == baseline["protocol"]["choice"]
    chosen = f"LinearProbeLearner.l2 = {own['protocol']['choice']['chosen']['LinearProbeLearner.l2']}"
    assert own["protocol"]["bindings"] == [part.partition("=")[2], chosen]
    at_end = chosen.endswith(("100.0", "0.01"))
    assert (f"{chosen}: at an end of the grid" in printed) == at_end
