"""Two processes started by torchrun equal one: meta-gradients, episodes and results."""

import json
import os
import subprocess
import sys

import pytest
import torch

from alfa_md.evaluation.results import Results
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from tests.equal_runs import assert_equal_runs, curves
from tests.noise import CPU, NoiseSource, noise_experiment, noise_learner, train_on_noise
from tests.shared import ROOT
from tests.shared_run import NUM_EPISODES, STAMP, TEST_EPISODES, everything


def torchrun(*script: object) -> subprocess.CompletedProcess:
    """Runs two processes on this machine at a free port."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *map(str, script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder with the output of one and of two processes."""
    folder = tmp_path_factory.mktemp("shared")
    everything(folder, SINGLE_PROCESS)
    done = torchrun("-m", "tests.shared_run", folder, "everything")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_meta_gradient_and_the_step_are_those_of_one_process(folder):
    one = torch.load(folder / "step-1-0.pt")
    assert sum(name.startswith("gradient") for name in one) > 10
    for rank in range(2):
        two = torch.load(folder / f"step-2-{rank}.pt")
        assert two.keys() == one.keys()
        for name, value in one.items():
            scale = value.abs().max().item()
            torch.testing.assert_close(two[name], value, rtol=1e-12, atol=1e-12 * scale)


def test_a_run_has_the_same_curves_and_weights(folder):
    one, two = (RunDirectory(folder / f"run-{size}") for size in (1, 2))
    for a, b in zip(curves(one), curves(two), strict=True):
        assert a.pop("group") == b.pop("group") and a == pytest.approx(b, rel=1e-3, abs=1e-5)
    a, b = load_checkpoint(one.last), load_checkpoint(two.last)
    assert a["step"] == b["step"] == 6
    for name, value in a["learner"].items():
        torch.testing.assert_close(value, b["learner"][name], rtol=1e-2, atol=1e-3)


def test_an_evaluation_has_the_same_episodes_and_results(folder):
    one, two = (json.loads((folder / f"test-{size}.json").read_text()) for size in (1, 2))
    assert one == two and len(one["sources"]["noise"]["scores"]) == TEST_EPISODES


def test_a_lost_process_ends_the_run_with_its_reason_and_leaves_it_resumable(tmp_path):
    done = torchrun("-m", "tests.shared_run", tmp_path, "lost")
    assert done.returncode != 0
    assert "error: process 0 of 2 lost another one, whose last message says why" in done.stderr
    assert "Signal 9 (SIGKILL)" in done.stderr
    run = RunDirectory(tmp_path / "lost")
    assert load_checkpoint(run.last)["step"] in (2, 4)
    state = train_on_noise(run.path, noise_experiment(), episodes_per_step=NUM_EPISODES)
    assert state.step == 6


def test_a_process_without_an_episode_of_its_own_waits(folder):
    one, two = (RunDirectory(folder / f"idle-{size}") for size in (1, 2))
    assert_equal_runs(one, two)


class FirstHasScores(ProcessGroup):
    """A process whose file lacks the scores that rank 0 has read."""

    def broadcast(self, value):
        record = {"mean": 0.5, "ci95": 0.0, "episodes": 3, "data": NoiseSource().stamp(), "scores": [0.5] * 3}
        return {"noise": record} if value == {} else value


def test_an_evaluation_goes_on_from_what_the_first_process_knows(tmp_path):
    results, seen = Results(tmp_path / "test.json", STAMP, FirstHasScores()), []
    source = NoiseSource(change=lambda index, episode: seen.append(index) or episode)
    assert results.measure(noise_learner(), source, 5, CPU)
    assert sorted(seen) == [3, 4] and results.sources["noise"]["scores"][:3] == [0.5] * 3
