"""Benchmark of data-parallel training by torchrun: what two processes do together, and what an update communicates.

    python -m benchmarks.distributed [--rounds=5] [--cases=4-CONV] [--out=benchmarks/README.md]

On the CPU: every process has a core and one thread. The efficiency on eight GPUs is computed, not measured.
"""

import argparse
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from statistics import median

import torch

from alfa_md.errors import UserError
from benchmarks.against import chosen
from benchmarks.build import ROOT
from benchmarks.cases import FAST
from benchmarks.communication import communication_table, one_process
from benchmarks.distributed_worker import CASES, PROCESSES
from benchmarks.machine import describe_machine
from benchmarks.page import write_chapter
from benchmarks.scaling import efficiency_table, waiting_table
from scripts.errors import one_line_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--cases", default="", help="what the names of the cases must contain")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    chosen(CASES, options.cases, "--cases")
    require_cores(options.rounds)
    load = os.getloadavg()[0]
    found = measure(options)
    latency = found.pop("latency")
    with one_process() as group:
        counted = [communication_table(group), efficiency_table(group, latency)]
    text = "\n".join([heading(options, load, latency), work_table(found), *counted, waiting_table()])
    print(text)
    if options.out:
        write_chapter(options.out, text)


def require_cores(rounds: int) -> None:
    """Raises UserError if the processes would share a core, or for no round."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < PROCESSES:
        raise UserError(f"{PROCESSES} processes need a core each, and this one may use {cores}")
    if rounds < 1:
        raise UserError(f"--rounds={rounds}: give at least 1")


def measure(options: Namespace) -> dict:
    """Episodes a second of every case in every round, and the latency, by processes of torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={PROCESSES}", "-m"]
    command += ["benchmarks.distributed_worker", str(options.rounds), options.cases]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def heading(options: Namespace, load: float, latency: float) -> str:
    return f"""# Several processes

`python -m benchmarks.distributed --rounds={options.rounds}`,
{describe_machine(torch.device("cpu")).replace("one of ", "")}; load average {load:.1f} before it.

Whole first-order updates of ALFA by {PROCESSES} processes of torchrun with a core and a thread each: together, at the
same time but independent of each other, and one alone while the other sleeps, in turns. Episodes a second on the clock,
medians over rounds; a ratio is taken within a round. Ways and shots are drawn by the official sampler where they are
variable, so that the smaller episode waits for the larger one.

Messages are counted in the update itself, with the parameters that the gin file builds: float32 gradients in one
message, and float64 values of the CPU in three (number of episodes, loss and score, whether to stop). What is called
computed was not measured: it has the seconds of `{FAST}` in first order from "Learning on a GPU", a ring for the
gradients at 200 GB/s (NVLink) or 10 GB/s (100 Gbit/s), and for each of the other messages three times the
{1e6 * latency:.0f} microseconds that one took between {PROCESSES} processes here; nothing overlaps.
"""


def work_table(found: dict) -> str:
    lines = [f"## Updates by {PROCESSES} processes, measured: episodes a second\n"]
    lines += ["| case | together | independent | one alone | together / independent | together / alone |"]
    lines += ["|---" * 6 + "|"]
    for name, rounds in found.items():
        together, independent, alone = (median(column) for column in zip(*rounds, strict=True))
        ratios = median(t / i for t, i, _ in rounds), median(t / a for t, _, a in rounds)
        cells = (*(f"{rate:#.3g}" for rate in (together, independent, alone)), *(f"{ratio:.2f}" for ratio in ratios))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with one_line_errors():
        main()
