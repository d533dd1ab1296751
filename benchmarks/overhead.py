"""Benchmark of overhead: whole updates of small networks against those of another build and against bare operations.

    git worktree add /path/to/baseline 78b7539
    python -m benchmarks.overhead --baseline=/path/to/baseline [--rounds=9] [--out=benchmarks/README.md]

Both builds run in turns on one core, each in a process of its own; CPU time is measured.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import torch

from benchmarks.machine import describe_machine
from benchmarks.overhead_worker import CONV, SINE
from benchmarks.page import write_chapter

ROOT = Path(__file__).resolve().parents[1]
ORDERS = ("second order", "first order")
WHAT = ("updates", "operations")


class Worker:
    """A process that runs updates by the package in a checkout."""

    def __init__(self, checkout: Path):
        environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(ROOT / "benchmarks" / "overhead_worker.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=checkout, env=environment, **pipes)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {min(os.sched_getaffinity(0))})

    def milliseconds(self, what: str, case: str, order: str) -> float:
        """CPU milliseconds of one update, or of its operations."""
        self.process.stdin.write(f"{what}|{case}|{order}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baseline", type=Path, required=True, help="a checkout of the other build")
    parser.add_argument("--rounds", default=9, type=int)
    parser.add_argument("--cases", default="", help="what the names of the cases must contain")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    old, new = Worker(options.baseline.resolve()), Worker(ROOT)
    cases = [case for case in (SINE, CONV) if options.cases in case]
    rows = [row(old, new, case, order, options.rounds) for case in cases for order in ORDERS]
    text = heading(options) + "\n".join(rows) + "\n"
    print(text)
    if options.out:
        write_chapter(options.out, text)


def row(old: Worker, new: Worker, case: str, order: str, rounds: int) -> str:
    """Medians over rounds, the first of which is warm-up."""
    turns = [
        (old.milliseconds("updates", case, order), *(new.milliseconds(what, case, order) for what in WHAT))
        for _ in range(rounds + 1)
    ][1:]
    before, today, bare = (f"{median(column):#.3g}" for column in zip(*turns, strict=True))
    ratio, over_bare = median(b / a for a, b, _ in turns), median(b / c for _, b, c in turns)
    return f"| {case} | {order} | {before} | {today} | {ratio:.2f} | {bare} | {over_bare:.2f} |"


def heading(options: argparse.Namespace) -> str:
    return f"""# Overhead

`python -m benchmarks.overhead --baseline=CHECKOUT --rounds={options.rounds}`, {describe_machine(torch.device("cpu"))}.

A whole update of ALFA from one episode, 5 inner steps, no special bindings: CPU milliseconds on one core, the build
of commit 78b7539 and this one in turns, each in a process of its own; medians over rounds. `bare` are the operations of
the outer loss and of its gradients, recorded and run again without the package; clipping and Adam are not among them.

| case | order | 78b7539, ms | this build, ms | this / 78b7539 | bare, ms | this / bare |
|---|---|---|---|---|---|---|
"""


if __name__ == "__main__":
    main()
