"""Benchmark of one task with one thread and with all cores."""

import os
import time
from statistics import median

import torch

from benchmarks.cases import Case, Form, Work, work

ROUNDS = 3


def threads_table(cases: dict[str, Case]) -> list[str]:
    """Table of wall-clock seconds with one thread and with as many as cores."""
    numbers = sorted({1, os.cpu_count() or 1})
    title = f"## Threads: seconds on the clock, median of {ROUNDS} turns\n"
    columns = ("case", "mode", *(f"{number} thread{'s' * (number > 1)}" for number in numbers))
    lines = [title, f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, case in cases.items():
        for mode in case.modes:
            run = work(case, mode, Form(), torch.device("cpu"))
            run()
            turns = [[seconds(run, number) for number in numbers] for _ in range(ROUNDS)]
            cells = [f"{median(times):.3f}" for times in zip(*turns, strict=True)]
            lines.append(f"| {' | '.join((name, mode, *cells))} |")
    torch.set_num_threads(1)
    return [*lines, ""]


def seconds(run: Work, threads: int) -> float:
    torch.set_num_threads(threads)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
