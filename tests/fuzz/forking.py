"""Commands run in forked children of this process, with limits of time, memory and file size."""

import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from tests.entries.harness import Outcome, run_entry

SECONDS = 40  # of the processor, of one child
WAIT = 240  # seconds until a child is taken for hanging
MEMORY = 3 * 2**30  # bytes that a child may take beyond its parent
FILE_SIZE = 2**27
UPDATES = 2


class Ended(NamedTuple):
    """The end of a command: `refused` (exit 2, one line), `ran`, `traceback`, `killed` or `other`; and its output."""

    kind: str
    text: str
    seconds: float


class EnoughUpdates(BaseException):
    """Raised after UPDATES updates."""


def in_child(function: Callable[[], Outcome], log: Path) -> Ended:
    """Calls `function` in a child process with limits; its output goes to `log`."""
    begin = time.monotonic()
    pid = os.fork()
    if not pid:
        _child(function, log)
    _, status = os.waitpid(pid, 0)
    seconds, text = time.monotonic() - begin, log.read_text(errors="replace")
    if os.WIFSIGNALED(status):
        return Ended("killed", f"signal {os.WTERMSIG(status)}\n{text}", seconds)
    return Ended({0: "ran", 2: "refused", 99: "traceback"}.get(os.WEXITSTATUS(status), "other"), text, seconds)


def _child(function: Callable[[], Outcome], log: Path) -> None:
    code = 99
    with open(log, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            _limit()
            code = _judged(function(), file)
        except EnoughUpdates:
            code = 0
        except BaseException:
            traceback.print_exc(file=file)
        finally:
            with contextlib.suppress(Exception):
                file.flush()
            os._exit(code)


def _judged(outcome: Outcome, file) -> int:
    file.write(outcome.out[-2000:] + outcome.err if outcome.code != 2 else outcome.err)
    line = outcome.err.startswith("error: ") and outcome.err.count("\n") == 1 and len(outcome.err) < 1000
    return outcome.code if outcome.code != 2 or line else 98


def _limit() -> None:
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WAIT)


def train_twice(*arguments: object, cwd: Path) -> Outcome:
    """`alfa_md.train`, ended after UPDATES updates."""
    from alfa_md.training import loop

    taken, outer_step = [], loop.outer_step

    def counted(*args, **kwargs):
        if len(taken) == UPDATES:
            raise EnoughUpdates
        taken.append(0)
        return outer_step(*args, **kwargs)

    with mock.patch.object(loop, "outer_step", counted), mock.patch.object(sys, "exit", sys.exit):
        return run_entry("train", *arguments, cwd=cwd)
