"""End-to-end test of the quickstart on the embedded miniature: accuracies and generated hyperparameters; minutes."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gin
import pytest
import torch

from alfa_md.data.roots import RECORDS_VARIABLE
from alfa_md.episode import Episode
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.definition import META_DATASET, Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.inner_loop.loop import unroll
from alfa_md.learners.gradient import GradientLearner
from alfa_md.metrics import paired_difference
from tests.noise import CPU, accuracies
from tests.shared import ROOT

pytestmark = pytest.mark.slow


def command(module: str, *flags: str) -> str:
    """The output of `python -m alfa_md.<module>` on the miniature; asserts success."""
    environment = {name: value for name, value in os.environ.items() if name != RECORDS_VARIABLE}
    line = [sys.executable, "-m", f"alfa_md.{module}", *flags]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def both_commands(gin_file: str, run: RunDirectory, baselines: str) -> str:
    """Trains with quickstart.gin and evaluates all ten sources; returns the output."""
    folder = f"--run_dir={run.path}"
    trained = command("train", f"--gin_config={gin_file}", "--gin_config=gin/quickstart.gin", folder)
    return trained + command("evaluate", folder, "--num_episodes=40", f"--baselines={baselines}")


def results(run: RunDirectory, stem: str) -> dict:
    """The ten sources of a results file."""
    sources = json.loads((run.results / f"{stem}.json").read_text())["sources"]
    assert tuple(sources) == META_DATASET and {record["episodes"] for record in sources.values()} == {40}
    return sources


def mean(run: RunDirectory, stem: str) -> float:
    return sum(record["mean"] for record in results(run, stem).values()) / len(META_DATASET)


def file_hashes(run: RunDirectory) -> dict[str, str]:
    """The contents of a run's files, except TensorBoard's, of which every start creates a new one."""
    files = (path for path in run.path.rglob("*") if path.is_file() and run.tensorboard not in path.parents)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDirectory:
    """The run directory of the quickstart, once per module."""
    folder = RunDirectory(tmp_path_factory.mktemp("quickstart") / "run")
    both_commands("gin/proto_maml_alfa.gin", folder, "untrained,pixel")
    return folder


@pytest.fixture
def trained(run) -> Iterator[Experiment]:
    """The quickstart's experiment with its best weights."""
    config.parse([str(run.config)])
    built = definition.build_experiment(seed=0)
    load_learner(built.learner, run.best)
    yield built
    gin.clear_config()


def initial_learner() -> GradientLearner:
    """The quickstart's learner before training; needs `trained` for its configuration."""
    return definition.build_experiment(seed=0).learner


def drawn_episodes(trained: Experiment, run: RunDirectory, per_source: int) -> list[Episode]:
    root = Path(run.facts()["data_root"])
    sources = [trained.evaluation(root, name, "test", seed=0) for name in META_DATASET]
    return [source.episode(index).to(CPU) for source in sources for index in range(per_source)]


@torch.no_grad()
def generated(learner: GradientLearner, episodes: list[Episode]) -> tuple[torch.Tensor, torch.Tensor]:
    """The generator's rates and decays in the inner loop of every episode: two of [episodes, steps, layers]."""
    rates, decays = [], []
    for episode in episodes:
        steps = unroll(learner.initial(episode), learner.support_loss(episode), learner.rule, learner.num_steps, True)
        hypers = [learner.rule.hypers.first(step.before, step.grads, (), i)[0] for i, step in enumerate(steps)]
        rates.append(torch.stack([torch.stack(list(h.lr.values())) for h in hypers]))
        decays.append(torch.stack([torch.stack(list(h.decay.values())) for h in hypers]))
    return torch.stack(rates), torch.stack(decays)


def test_training_gains_ten_points_over_pixels_and_over_the_untrained_network(run):
    assert mean(run, "test") > mean(run, "test-pixel") + 0.10
    assert mean(run, "test") > mean(run, "test-untrained") + 0.10


def test_adapted_beats_unadapted_on_the_same_episodes(run, trained):
    trained.learner.num_steps = trained.learner.additional_evaluation_steps = 0
    root, adapted, unadapted = Path(run.facts()["data_root"]), [], []
    for name, record in results(run, "test").items():
        adapted += record["scores"]
        unadapted += accuracies(trained.learner, trained.evaluation(root, name, "test", seed=0), 40, CPU)
    gain = paired_difference(adapted, unadapted)
    assert gain.n == 400 and gain.mean > gain.ci95


def test_results_are_reproduced_in_another_process(run, trained):
    """Up to one query image per episode: with two threads, ties may be rounded differently."""
    source = trained.evaluation(Path(run.facts()["data_root"]), "aircraft", "test", seed=0)
    again = accuracies(trained.learner, source, 10, CPU)
    assert again == pytest.approx(results(run, "test")["aircraft"]["scores"][:10], abs=0.05)


def test_training_changes_every_parameter_of_the_rule(trained):
    initial = initial_learner().rule.state_dict()
    assert len(initial) == 6
    for name, value in trained.learner.rule.state_dict().items():
        assert (value - initial[name]).abs().max() > 1e-4, name  # parameters without gradient would be unchanged


def test_generated_rates_and_decays_vary_over_steps_and_over_tasks(run, trained):
    episodes = drawn_episodes(trained, run, per_source=2)
    for values in generated(trained.learner, episodes):
        assert values.shape[:2] == (20, 3) and values.isfinite().all()
        assert values.std(dim=1).mean() > 0.05  # over the steps of an episode
        assert values.std(dim=0).mean() > 0.01  # over episodes at the same step
    for values in generated(initial_learner(), episodes[:2]):
        assert (values == 1).all()  # nothing varies before training


def test_repeated_commands_skip_finished_work(run):
    before = file_hashes(run)
    output = both_commands("gin/proto_maml_alfa.gin", run, "untrained,pixel")
    assert file_hashes(run) == before
    assert "s an update" not in output and "test aircraft" not in output
    assert "updates done" in output and "EMBEDDED MINIATURE DATA" in output


def test_the_zero_head_with_alfa_also_beats_pixels(tmp_path):
    run = RunDirectory(tmp_path / "run")
    both_commands("gin/maml_alfa.gin", run, "pixel")
    assert mean(run, "test") > mean(run, "test-pixel")
