"""Evaluation of run directories without gin and records: missing sources, ensembles, seeds, units, query_std."""

import csv
import json
from functools import partial

import pytest
import torch

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.roots import no_root
from alfa_md.data.sinusoid import Points, sinusoids
from alfa_md.errors import MissingSource, MissingSplit, UserError
from alfa_md.evaluation.run import DONE, MISSING_SOURCE, EvaluationOptions, evaluate_run
from alfa_md.evaluation.seeds import evaluate_seeds
from alfa_md.experiment import config
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.objectives import REGRESSION
from alfa_md.training.run import TrainingOptions, train_run
from tests.noise import CPU, FACTS, NoiseSource, noise_learner, train_on_noise
from tests.runs import file_hash

OPTIONS = EvaluationOptions("best", ["all"], 4, "test", [], None, 0, CPU)
FIVE_WAY = FixedWay()
GENERATED = FACTS | {"data_root": "generated", "data_kind": "generated"}


class Constant(Learner):
    """Predicts one constant, independent of the episode."""

    objective = REGRESSION

    def __init__(self):
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(0.0))

    def forward(self, episode):
        return self.value.expand(episode.query_y.shape)


def noise(root, name, split, sampling, seed):
    """A source of noise; `nowhere` is missing, `only` has no valid split."""
    if name == "nowhere":
        raise MissingSource("looked in nowhere/, which should hold images")
    if name == "only" and split == "valid":
        raise MissingSplit("only test")
    return NoiseSource(name, split, seed)


def experiment(learner=noise_learner, reader=noise, test_sources=("c",), sampling=FIVE_WAY) -> Experiment:
    """The experiment of these tests."""
    return Experiment(learner(), reader, ("a",), ("a",), test_sources, sampling=sampling, root=no_root)


SINES = {"learner": Constant, "reader": sinusoids, "sampling": Points(shots=5)}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Trains an experiment for six updates with three validations, and makes `build_experiment` return it."""

    def trained(folder="run", seed=0, **options) -> RunDirectory:
        monkeypatch.setattr(config, "parse", lambda files, bindings: None)
        monkeypatch.setattr("alfa_md.experiment.definition.build_experiment", lambda seed: experiment(**options))
        facts, rate = GENERATED | {"seed": seed}, 0.01 + seed
        train_on_noise(tmp_path / folder, experiment(**options), facts, learning_rate=rate, keep_best=3)
        return RunDirectory(tmp_path / folder)

    return trained


def stored(run: RunDirectory, stem: str = "test") -> dict:
    return json.loads((run.results / f"{stem}.json").read_text())


def test_missing_sources_and_splits_are_listed_and_the_others_evaluated(make, capsys):
    run = make(test_sources=("nowhere", "only", "c"))
    assert evaluate_run(run, OPTIONS).exit_code == MISSING_SOURCE
    assert "nowhere: missing (looked in nowhere/, which should hold images)" in capsys.readouterr().out
    assert list(stored(run)["sources"]) == ["only", "c"]
    assert evaluate_run(run, OPTIONS._replace(split="valid", sources=["only", "c"])).exit_code == DONE
    assert "only: has no valid split, skipped" in capsys.readouterr().out
    with pytest.raises(UserError, match="--split=valid: none of only has it; choose other --sources"):
        evaluate_run(run, OPTIONS._replace(split="valid", sources=["only"]))


def test_the_ensemble_and_the_best_checkpoint_are_both_stored(make, capsys):
    run = make()
    evaluated = evaluate_run(run, OPTIONS._replace(checkpoint="ensemble", baselines=["pixel"]))
    files = run.ensemble_checkpoints()
    together, best = stored(run, "test-ensemble"), stored(run)
    assert len(files) == 3 == together["protocol"]["ensemble"]
    assert together["protocol"]["checkpoint"] == [file_hash(file) for file in files]
    assert together["protocol"]["updates"] == [int(file.stem.split("_")[1]) for file in files]
    assert best["protocol"]["checkpoint"] == file_hash(run.best) and "ensemble" not in best["protocol"]
    assert list(evaluated.by_learner) == ["noise, ensemble of 3", "noise", "pixel"]
    assert (run.results / "test-pixel.json").exists()
    text = (run.results / "test-ensemble.md").read_text()
    assert "| noise, ensemble of 3 |" in text and "| noise |" in text and file_hash(files[2]) in text


def test_query_std_is_stored_with_a_fixed_way_and_shown_when_asked_for(make, capsys):
    run = make()
    evaluate_run(run, OPTIONS)
    record = stored(run)["sources"]["c"]
    p = sum(record["scores"]) / 4
    assert record["query_std"] == pytest.approx((p * (1 - p)) ** 0.5, abs=1e-12)
    assert "confidence" not in capsys.readouterr().out
    with open(run.results / "test.csv") as file:
        assert next(csv.DictReader(file))["query_std"] == f"{record['query_std']:.6f}"
    evaluate_run(run, OPTIONS._replace(query_std=True))
    line = f"| noise: query std (NOT a confidence interval) | {record['query_std']:.3f} |"
    assert line in (run.results / "test.md").read_text()


def test_query_std_of_other_samplings_there_is_none(make):
    run = make(sampling=None)
    evaluate_run(run, OPTIONS)
    assert "query_std" not in stored(run)["sources"]["c"]
    with pytest.raises(UserError, match="--query_std is of classification with Experiment.sampling = @FixedWay"):
        evaluate_run(run, OPTIONS._replace(query_std=True))


def test_regression_is_written_as_squared_error(make, capsys):
    run = make(**SINES)
    evaluate_run(run, OPTIONS)
    assert stored(run)["protocol"]["unit"] == "squared error" and "query_std" not in stored(run)["sources"]["c"]
    out = capsys.readouterr().out
    assert "test: squared error, 95 % intervals" in " ".join(out.split()) and "percent" not in out
    mean = stored(run)["sources"]["c"]["mean"]
    assert mean > 1 and f"| {mean:.3f} |" in (run.results / "test.md").read_text()
    with pytest.raises(UserError, match="--baselines: pixel is judged by accuracy, this run is not"):
        evaluate_run(run, OPTIONS._replace(baselines=["pixel"]))


def test_results_under_other_bindings_are_stored_separately(tmp_path):
    run = RunDirectory(tmp_path / "run")
    small = ["train.num_updates = 2", "train.num_validation_episodes = 2", "HIDDEN = (4, 4)", "NUM_FEATURES = 4"]
    train_run(run, TrainingOptions("sine", ["gin/paper/table8_alfa_maml.gin"], small, None, 0, CPU))
    evaluate_run(run, OPTIONS)
    plain = (run.results / "test.json").read_text()
    more = OPTIONS._replace(gin_bindings=["GradientLearner.additional_evaluation_steps = 3"], name="more-steps")
    evaluate_run(run, more)
    content = stored(run, "test-more-steps")
    assert content["protocol"]["inner_steps"] == 8 and content["protocol"]["bindings"] == more.gin_bindings
    assert content["sources"]["sine"]["scores"] != json.loads(plain)["sources"]["sine"]["scores"]
    assert (run.results / "test.json").read_text() == plain and "bindings" not in json.loads(plain)["protocol"]
    with pytest.raises(UserError, match="--gin_bindings change what is evaluated; give --name"):
        evaluate_run(run, more._replace(name=""))
    with pytest.raises(UserError, match="--name=a/b: goes into file names"):
        evaluate_run(run, more._replace(name="a/b"))


@pytest.mark.parametrize("checkpoint", ["best", "ensemble"])
def test_mean_and_deviation_over_seeds(make, tmp_path, capsys, checkpoint):
    runs = [make(f"runs/seed{seed}", seed, **SINES) for seed in (0, 2)]
    code = evaluate_seeds(str(tmp_path / "runs"), [0, 2], OPTIONS._replace(checkpoint=checkpoint))
    stem = {"best": "test", "ensemble": "test-ensemble"}[checkpoint]
    content = json.loads((tmp_path / "runs" / "results" / f"{stem}-seeds.json").read_text())
    a, b = (stored(run, stem)["sources"]["c"]["mean"] for run in runs)
    title = "noise" if checkpoint == "best" else "noise, ensemble of 3"
    assert code == DONE and content["seeds"] == [0, 2] and a != b
    of_source = content["learners"][title]["c"]
    assert of_source == {"mean": pytest.approx((a + b) / 2), "std": pytest.approx(abs(a - b) / 2**0.5), "means": [a, b]}
    assert content["protocol"]["checkpoint"] == [stored(run, stem)["protocol"]["checkpoint"] for run in runs]
    cell = f"{of_source['mean']:.3f} (std {of_source['std']:.3f})"
    text = (tmp_path / "runs" / "results" / f"{stem}-seeds.md").read_text()
    assert text.startswith("test: squared error, mean and standard deviation over seeds 0, 2\n")
    assert f"| {title} | {cell} | {cell} |" in text
    with open(tmp_path / "runs" / "results" / f"{stem}-seeds.csv") as file:
        line = next(csv.DictReader(file))
    assert (line["learner"], line["seeds"], line["unit"], line["data"]) == (title, "0 2", "squared error", "generated")


def test_seeds_that_do_not_belong_together_are_refused(make, tmp_path):
    run = make("runs/seed0", 0)
    evaluate = partial(evaluate_seeds, str(tmp_path / "runs"), options=OPTIONS)
    with pytest.raises(UserError, match="seed1 is not a run directory"):
        evaluate([0, 1])
    make("runs/seed1", 1).config.write_text(run.config.read_text() + "\nA.b = 3\n")
    with pytest.raises(UserError, match="seed1 is not .*seed0 with another seed: A.b: unset -> 3"):
        evaluate([0, 1])
    assert not (tmp_path / "runs" / "results").exists()


def test_a_table_of_more_seeds_is_not_replaced(make, tmp_path, capsys):
    for seed in (0, 1):
        make(f"runs/seed{seed}", seed, **SINES)
    evaluate, results = partial(evaluate_seeds, str(tmp_path / "runs"), options=OPTIONS), tmp_path / "runs" / "results"
    evaluate([0])
    evaluate([0, 1])
    assert not list(results.glob("*.1.json")) and "other seeds" not in capsys.readouterr().out
    both = (results / "test-seeds.json").read_bytes()
    evaluate([1])
    assert (results / "test-seeds.1.json").read_bytes() == both
    assert "test-seeds.json was of other seeds; it is kept as test-seeds.1.json" in capsys.readouterr().out


def test_more_episodes_than_asked_for_are_named(make, capsys):
    run = make()
    evaluate_run(run, OPTIONS)
    assert "are stored" not in capsys.readouterr().out
    evaluate_run(run, OPTIONS._replace(num_episodes=2))
    assert "test c: 4 episodes are stored, and all of them count" in capsys.readouterr().out
