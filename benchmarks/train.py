"""Benchmark of training: a plain implementation against those of this package, in turns in one process.

    python -m benchmarks.train [--device=cuda] [--rounds=5] [--cases=4-CONV] [--out=benchmarks/README.md]
    python -m benchmarks.train --against=FOLDER          in turns with the build of another checkout, e.g. an older one
    python -m benchmarks.train --profile=trace.json      one second-order task of the first case, for chrome://tracing

On a CPU all forms run on one thread and CPU time is measured; on a GPU wall time with synchronisation. The memory of
every form is measured in a process of its own.
"""

import argparse
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.profiler import profile

from alfa_md.system.allocator import keep_freed_pages
from alfa_md.system.device import choose
from benchmarks.against import chosen, comparison, require_turns
from benchmarks.cases import CASES, FAST, FURTHER, PLAIN, Case, Form, Work, work
from benchmarks.flops import gigaflop
from benchmarks.machine import clock, convolution_peak, default_allocator, describe_machine
from benchmarks.memory import memory_table
from benchmarks.page import write_chapter
from benchmarks.threads import threads_table
from scripts.errors import one_line_errors

FORMS: dict[str, Form] = {"plain": PLAIN, FAST: Form()}
DEFAULT = "plain, default allocator"
ALLOCATOR = """"Default allocator" is glibc's as it settles by itself, where large tensors are mapped anew every time;
all other forms run under the setting that every command applies."""
GPU = """Seconds are until the GPU has done all its work. Convolutions in float32 are rounded to TF32, which is
PyTorch's default; matrix products are not. A CUDA graph is `GradientLearner.batching = @captured`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", type=torch.device)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--cases", default="", help="what the names of the cases must contain")
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    device = choose(options.device.type).type
    cases = chosen({name: case for name, case in CASES.items() if device in case.devices}, options.cases, "--cases")
    if options.profile:
        profile_case(next(iter(cases.values())), options)
        return
    if options.against:
        text = learning_against(cases, options)
    else:
        print(text := chapter(cases, options))
    if options.out:
        write_chapter(options.out, text)


def chapter(cases: dict[str, Case], options: Namespace) -> str:
    use_one_core()
    peak = convolution_peak(options.device)
    parts = [heading(options, peak)]
    for name, case in cases.items():
        parts += [f"## {name}\n", *table_head()] if case.modes else []
        parts += [table_row for mode in case.modes for table_row in table_rows(case, mode, options, peak)]
        parts += [""] if case.modes else []
    parts += threads_table(cases) if options.device.type == "cpu" else []
    return "\n".join([*parts, *memory_table(cases, options.device)]) + "\n"


def use_one_core() -> None:
    torch.set_num_threads(1)
    keep_freed_pages()


def learning_against(cases: dict[str, Case], options: Namespace) -> str:
    """Chapter of a comparison with another build."""
    require_turns(options.against, options.rounds)
    plans = {f"{name}: {mode}": plan(case, mode) for name, case in cases.items() for mode in case.modes}
    seconds = {"cpu": "CPU seconds on one core", "cuda": "seconds until the GPU has done all its work"}
    title = f"""# Learning, in turns with {{old}}

`python -m benchmarks.train --against=CHECKOUT --device={options.device} --rounds={options.rounds}`,
{describe_machine(options.device)}.

One task of ALFA on noise, an outer gradient or an evaluation, by both builds in turns, each in a process of its own:
{seconds[options.device.type]}, medians over rounds; a ratio is taken within a round, and given with its quartiles.
The results are the loss and the norm of the outer gradient.
"""
    return comparison(title, plans, options.against, options.rounds, warm_up=1, device=str(options.device))


def plan(case: Case, mode: str) -> dict:
    """The case in plain values, from which any build makes its learner and its episode."""
    shots = case.shots if isinstance(case.shots, tuple) else (case.shots,) * case.way
    own = {"kind": "learning", "backbone": (case.backbone.__name__, case.backbone.__module__)}
    own |= {"shots": shots, "trains": mode != "evaluation", "first_order": mode != "second order"}
    return own | {name: getattr(case, name) for name in ("features", "pixels", "queries", "steps", "prototypes")}


def heading(options: Namespace, peak: float) -> str:
    on_gpu = options.device.type == "cuda"
    return f"""# Learning{" on a GPU" if on_gpu else ""}

`python -m benchmarks.train --device={options.device} --rounds={options.rounds}`, {describe_machine(options.device)}.

One task of ALFA on noise: an outer gradient, or an evaluation. `plain` is the functional form of the papers by
PyTorch's own operations, in contiguous memory; `{FAST}` gives the same numbers (tests hold both together in float64).
Forms take turns in one process; a ratio is the median over the rounds of plain / form, seconds are the best round's.
{GPU if on_gpu else ALLOCATOR}
A convolution alone reaches {peak:.0f} GFLOP/s here; achieved ones are counted from the operations that the
form does. The first time has what is done once: memory taken, code compiled.
"""


def table_head() -> list[str]:
    names = ("mode", "form", "times the plain form", "seconds", "the first time")
    names = (*names, "GFLOP", "GFLOP/s", "share of the peak")
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def table_rows(case: Case, mode: str, options: Namespace, peak: float) -> list[str]:
    """One row per form of computing a task in this mode."""
    further = {name: FURTHER[name] for name in case.further}
    forms = FORMS | {n: f for n, f in further.items() if options.device.type in f.devices and mode in f.modes}
    works = {name: work(case, mode, form, options.device) for name, form in forms.items()}
    runs = {DEFAULT: with_default_allocator(works["plain"])} if options.device.type == "cpu" else {}
    seconds = time_in_turns(runs | works, options)
    arithmetic = {name: gigaflop(one) / len(one.episodes) for name, one in works.items()}
    arithmetic |= {name: arithmetic[FAST] for name, found in arithmetic.items() if not found}  # a graph's is not seen
    tasks = {name: form.tasks for name, form in forms.items()}
    plain = seconds["plain"]
    return [
        table_row((mode, name), times, plain, tasks.get(name, 1), arithmetic.get(name, arithmetic["plain"]), peak)
        for name, times in seconds.items()
    ]


def table_row(
    names: tuple[str, str], seconds: list[float], plain: list[float], tasks: int, done: float, peak: float
) -> str:
    """The row of a form for one task: `seconds` of all rounds, `done` GFLOP."""
    first, *times = (spent / tasks for spent in seconds)
    ratio = median(a / b for a, b in zip(plain[1:], times, strict=True))
    rate = done / min(times)
    cells = (f"{ratio:.2f}", f"{min(times):#.3g}", f"{first:.1f}", f"{done:.0f}", f"{rate:.0f}", f"{rate / peak:.0%}")
    return f"| {' | '.join((*names, *cells))} |"


def time_in_turns(runs: dict[str, Callable[[], None]], options: Namespace) -> dict[str, list[float]]:
    """Seconds of every run in every round; the first round is warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + options.rounds):
        for name, run in runs.items():
            with clock(options.device) as spent:
                run()
            seconds[name].append(spent())
    return seconds


def with_default_allocator(run: Work) -> Callable[[], None]:
    def once() -> None:
        with default_allocator():
            run()

    return once


def profile_case(case: Case, options: Namespace) -> None:
    use_one_core()
    run = work(case, case.modes[0], FORMS[FAST], options.device)
    run()
    with profile() as profiler:
        start = time.perf_counter()
        run()
        print(f"{time.perf_counter() - start:.2f} s, traced to {options.profile}")
    print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=20, max_name_column_width=40))
    profiler.export_chrome_trace(str(options.profile))


if __name__ == "__main__":
    with one_line_errors():
        main()
