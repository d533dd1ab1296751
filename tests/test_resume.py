"""Runs that are killed, interrupted or damaged go on and end as if nothing had happened, bit for bit."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from alfa_md.checkpoint import load
from alfa_md.run_directory import RunDirectory
from tests.equal_runs import assert_equal_runs, curves
from tests.killed_runs import DEATHS, NUM_UPDATES, said, started, train

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
    assert not RunDirectory(tmp_path).last.exists() or load(RunDirectory(tmp_path).last)["step"] < NUM_UPDATES
    run_to_end(tmp_path)
    assert_equal_runs(whole, RunDirectory(tmp_path))


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_moments(whole, tmp_path, seed):
    rng, kills = random.Random(seed), 0
    while True:
        process = started(train, tmp_path)
        if kills < 5:
            process.join(rng.uniform(0.05, 0.6))
        if process.is_alive() and kills < 5:
            process.kill()
            kills += 1
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == KILLED
    assert kills >= 2
    assert_equal_runs(whole, RunDirectory(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_update_and_the_run_goes_on(whole, tmp_path, number):
    run, process = RunDirectory(tmp_path), started(train, tmp_path)
    deadline = time.monotonic() + 60
    while not (run.metrics.exists() and len(run.metrics.read_text().splitlines()) > 4):
        assert time.monotonic() < deadline and process.is_alive()
        time.sleep(0.005)
    os.kill(process.pid, number)
    process.join()
    step = load(run.last)["step"]
    assert process.exitcode == 128 + number and 0 < step < NUM_UPDATES
    assert f"stopped after update {step}; the same command goes on from there" in said(tmp_path)
    assert max(record["step"] for record in curves(run)) == step
    run_to_end(tmp_path)
    assert_equal_runs(whole, run)


def test_a_damaged_last_checkpoint_is_said_and_the_run_ends_the_same(whole, tmp_path):
    process = started(DEATHS[0], tmp_path)
    process.join()
    run = RunDirectory(tmp_path)
    damaged = bytearray(run.last.read_bytes())
    damaged[len(damaged) // 3 :: 64] = bytes(len(damaged[len(damaged) // 3 :: 64]))
    run.last.write_bytes(damaged)
    before = load(run.previous)["step"]
    run_to_end(tmp_path)
    assert f"going on from previous.pt, update {before}" in said(tmp_path)
    assert_equal_runs(whole, run)
