"""How much memory an update of two tasks needs, measured in a process of its own for every form."""

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
    """Peak and seconds of an update in second order, for the forms that a case names."""
    names = ("case", "form", "peak, MB", "times less than plain", "seconds", "times those of fast")
    title = f"## Memory of an update of {TASKS} tasks in second order, beyond what the process had before\n"
    lines = [title, f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for name, case in cases.items():
        found = {form: in_own_process(name, form, device) for form in case.memory}
        lines += [row(name, form, found) for form in found]
    return [*lines, ""]


def row(case: str, form: str, found: dict[str, dict]) -> str:
    """Beside plain and fast where those are measured."""
    own = found[form]
    less = f"{found[TOGETHER]['megabytes'] / own['megabytes']:.2f}" if TOGETHER in found else ""
    more = f"{own['seconds'] / found[KEPT]['seconds']:.2f}" if KEPT in found else ""
    cells = (case, form, f"{own['megabytes']:.0f}", less, f"{own['seconds']:.2f}", more)
    return f"| {' | '.join(cells)} |"


def in_own_process(case: str, form: str, device: torch.device) -> dict:
    command = [sys.executable, "-m", "benchmarks.memory", case, form, str(device)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measured(case: Case, form: str, device: torch.device) -> dict[str, float]:
    """Megabytes that an update adds to the peak, and the seconds of the second of two updates."""
    torch.set_num_threads(1)
    keep_freed_pages()
    run = work(case, MODE, MEMORY[form], device, TASKS)
    update = both_at_once(run) if form == TOGETHER else run
    before = peak(device)
    update()
    megabytes = (peak(device) - before) / 1e6
    with clock(device) as spent:
        update()
    return {"megabytes": megabytes, "seconds": spent()}


def both_at_once(run: Work) -> Callable[[], None]:
    """The sum of the losses, then one backward pass, as the public code has it."""

    def update() -> None:
        with run.form.within():
            losses = [run.learner.objective.loss(run.learner(e), e.query_y) for e in run.episodes]
            torch.stack(losses).mean().backward()
        run.learner.zero_grad()

    return update


def peak(device: torch.device) -> int:
    """Bytes that the process has held at most."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024  # getrusage would tell of the process that started this one, too


if __name__ == "__main__":
    name, form, device = sys.argv[1:]
    print(json.dumps(measured(CASES[name], form, torch.device(device))))
