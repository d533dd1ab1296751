"""Signals that stop a run: noted once, ignored where the process was started to ignore them."""

import os
import signal
import threading

import pytest

from alfa_md.system.interruption import SIGNALS, Interruption, without_ctrl_c


@pytest.fixture
def ignored():
    """Ignores every signal of SIGNALS, so that one that is not noted does no harm."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_next_gets_its_own_handler(ignored, number):
    seen = []
    signal.signal(number, lambda *_: seen.append(number))
    with Interruption() as stop:
        os.kill(os.getpid(), number)
        assert stop.requested and stop.exit_code == 128 + number and not seen
        os.kill(os.getpid(), number)
        assert seen == [number]


def test_what_ends_terminals_and_what_schedulers_send_is_heeded():
    assert {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT} <= set(SIGNALS)


def test_a_signal_that_the_process_ignores_as_by_nohup_stays_ignored(ignored):
    with Interruption() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.requested
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_torchrun_may_repeat_what_the_processes_have_received(ignored, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "0")
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append("second"))
    with Interruption() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.exit_code == 128 + signal.SIGINT and not seen


def test_ctrl_c_is_kept_from_children_and_handled_afterwards(ignored):
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    with without_ctrl_c():
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # not to a thread of another library
        assert not seen
    assert seen == [1]
