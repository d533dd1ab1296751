"""Benchmark of the memory of an update of two tasks, in a process of its own for every form."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from alfa_md.system.allocator import keep_freed_pages
from benchmarks.cases import CASES, KEPT, MEMORY, TOGETHER, Case, Work, work
from benchmarks.machine import clock

TASKS = 2
MODE = "second order"


def memory_table(cases: dict[str, Case], device: torch.device) -> list[str]:
    """Table of peak memory and seconds of a second-order update, for the forms of every case."""
    names = ("case", "form", "peak, MB", "times less than plain", "seconds", "times those of fast")
    title = f"## Memory of an update of {TASKS} tasks in second order, beyond what the process had before\n"
    lines = [title, f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for name, case in cases.items():
        found = {form: measure_in_subprocess(name, form, device) for form in case.memory}
        lines += [row(name, form, found) for form in found]
    return [*lines, ""]


def row(case: str, form: str, found: dict[str, dict]) -> str:
    """One row, relative to plain and fast if these are measured."""
    own = found[form]
    less = f"{found[TOGETHER]['megabytes'] / own['megabytes']:.2f}" if TOGETHER in found else ""
    more = f"{own['seconds'] / found[KEPT]['seconds']:.2f}" if KEPT in found else ""
    cells = (case, form, f"{own['megabytes']:.0f}", less, f"{own['seconds']:.2f}", more)
    return f"| {' | '.join(cells)} |"


def measure_in_subprocess(case: str, form: str, device: torch.device) -> dict:
    command = [sys.executable, "-m", "benchmarks.memory", case, form, str(device)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=Path(__file__).resolve().parents[1])
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_form(case: Case, form: str, device: torch.device) -> dict[str, float]:
    """Megabytes that an update adds to the peak, and seconds of a second update."""
    torch.set_num_threads(1)
    keep_freed_pages()
    run = work(case, MODE, MEMORY[form], device, TASKS)
    update = joint_update(run) if form == TOGETHER else run
    before = peak(device)
    update()
    megabytes = (peak(device) - before) / 1e6
    with clock(device) as spent:
        update()
    return {"megabytes": megabytes, "seconds": spent()}


def joint_update(run: Work) -> Callable[[], None]:
    """One backward pass over the summed losses of all tasks, as in the reference code."""

    def update() -> None:
        with run.form.context():
            losses = [run.learner.objective.loss(run.learner(e), e.query_y) for e in run.episodes]
            torch.stack(losses).mean().backward()
        run.learner.zero_grad()

    return update


def peak(device: torch.device) -> int:
    """Peak memory of the process in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    return int(status["VmHWM"].split()[0]) * 1024  # getrusage would include the parent process


if __name__ == "__main__":
    name, form, device = sys.argv[1:]
    print(json.dumps(measure_form(CASES[name], form, torch.device(device))))
