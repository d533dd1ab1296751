"""Exact resumption: killed, interrupted or damaged runs end bit for bit like uninterrupted ones."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from tests.equal_runs import assert_equal_runs, curves
from tests.killed_runs import DEATHS, NUM_UPDATES, die_between_renames, said, started, train

KILLED = -signal.SIGKILL


def run_to_end(folder: Path) -> None:
    process = started(train, folder)
    process.join()
    assert process.exitcode == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> RunDirectory:
    """The uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    run_to_end(folder)
    return RunDirectory(folder)


@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.__name__)
def test_a_kill_where_it_hurts_most(whole, tmp_path, death):
    process = started(death, tmp_path)
    process.join()
    assert process.exitcode == KILLED
    last = RunDirectory(tmp_path).last
    assert not last.exists() or load_checkpoint(last)["step"] < NUM_UPDATES
    run_to_end(tmp_path)
    assert_equal_runs(whole, RunDirectory(tmp_path))


def wait_for_lines(run: RunDirectory, number: int, process) -> bool:
    """True if a run has logged this update before it ends."""
    while process.is_alive():
        if run.metrics.exists() and run.metrics.read_bytes().count(b"\n") >= number:
            return True
        time.sleep(0.002)
    return False


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_moments(whole, tmp_path, seed):
    """Kills at a random time, up to a few updates after a random record."""
    rng, run, resumed = random.Random(seed), RunDirectory(tmp_path), 0
    total = whole.metrics.read_bytes().count(b"\n")
    for number in sorted(rng.sample(range(total - 4), 5)):
        process = started(train, tmp_path)
        if wait_for_lines(run, number, process):
            time.sleep(rng.uniform(0.0, 0.1))
        process.kill()
        process.join()
        assert process.exitcode == KILLED
        resumed += run.last.exists() and 0 < load_checkpoint(run.last)["step"] < NUM_UPDATES
    assert resumed >= 3
    run_to_end(tmp_path)
    assert_equal_runs(whole, run)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        signal.SIGUSR1,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_stops_after_the_update_and_the_run_goes_on(whole, tmp_path, number):
    run, process = RunDirectory(tmp_path), started(train, tmp_path)
    assert wait_for_lines(run, 5, process)
    os.kill(process.pid, number)
    process.join()
    step = load_checkpoint(run.last)["step"]
    assert process.exitcode == 128 + number and 0 < step < NUM_UPDATES
    assert f"stopped after update {step}; the same command goes on from there" in said(tmp_path)
    assert max(record["step"] for record in curves(run)) == step
    run_to_end(tmp_path)
    assert_equal_runs(whole, run)


def test_a_damaged_last_checkpoint_is_reported_and_the_run_ends_the_same(whole, tmp_path):
    process = started(DEATHS[0], tmp_path)
    process.join()
    run = RunDirectory(tmp_path)
    damaged = bytearray(run.last.read_bytes())
    damaged[len(damaged) // 3 :: 64] = bytes(len(damaged[len(damaged) // 3 :: 64]))
    run.last.write_bytes(damaged)
    before = load_checkpoint(run.previous)["step"]
    process = started(die_between_renames, tmp_path)  # the damaged file must not have replaced the good one
    process.join()
    assert process.exitcode == KILLED and not run.last.exists()
    run_to_end(tmp_path)
    assert f"kept as last.damaged.pt; going on from update {before}\n" in said(tmp_path)
    assert_equal_runs(whole, run)
