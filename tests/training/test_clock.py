"""Estimates of the duration of a run."""

from types import SimpleNamespace

import torch

from alfa_md.system.progress import Progress
from alfa_md.training import clock
from alfa_md.training.clock import Clock


def told(monkeypatch, capsys, seconds, num_updates, device="cpu", done=0, share=0.0) -> str:
    """The lines printed by a clock for updates of `seconds`, the first a minute longer."""
    now = [0.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0], process_time=lambda: 0.0))
    timer = Clock(done, num_updates, torch.device(device), Progress("training", num_updates, done), share, {})
    now[0] += 60
    for step in range(done + 1, done + 6):
        now[0] += seconds
        timer.tick(step)
        said = capsys.readouterr().out
        assert bool(said) == (step == done + 3)
        if said:
            return said


def test_the_clock_estimates_the_whole_run_after_the_third_update(monkeypatch, capsys):
    text = told(monkeypatch, capsys, seconds=0.5, num_updates=1200)
    assert "0.50 s an update" in text and "about 10.0 minutes for 1200 updates" in text and "quickstart" not in text
    assert "1.0 hours for 7200 updates" in told(monkeypatch, capsys, seconds=0.5, num_updates=9000, done=1800)
    with_validation = told(monkeypatch, capsys, seconds=0.5, num_updates=7200, share=1.2)
    assert "1.6 hours for 7200 updates and their validation" in with_validation


def test_the_time_of_earlier_processes_counts(monkeypatch):
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: 5.0, process_time=lambda: 3.0))
    timer = Clock(0, 9, torch.device("cpu"), Progress("", 9), 0.0, {"seconds": 10.0, "cpu_seconds": 20.0})
    assert timer.seconds() == {"seconds": 10.0, "cpu_seconds": 20.0}


def test_the_clock_names_the_quickstart_above_twelve_hours_on_a_cpu(monkeypatch, capsys):
    assert "quickstart" in told(monkeypatch, capsys, seconds=1.0, num_updates=12 * 3600 + 10)
    assert "quickstart" not in told(monkeypatch, capsys, seconds=1.0, num_updates=12 * 3600 - 10)
    assert "quickstart" not in told(monkeypatch, capsys, seconds=1.0, num_updates=100_000, device="cuda")


def test_the_clock_names_the_flag_of_torchrun_if_an_update_takes_too_long_for_a_stop(monkeypatch, capsys):
    assert "torchrun" not in told(monkeypatch, capsys, seconds=20.0, num_updates=99)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "0")
    text = told(monkeypatch, capsys, seconds=20.0, num_updates=99)
    assert "torchrun kills its processes 30 s after SIGTERM" in text and "--shutdown-timeout=400\n" in text
    assert "torchrun" not in told(monkeypatch, capsys, seconds=14.0, num_updates=99)
    monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "60")
    assert "torchrun" not in told(monkeypatch, capsys, seconds=20.0, num_updates=99)
