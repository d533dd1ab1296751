"""Benchmark of inner loops: update rules stacked against one task at a time, and ANIL with its features computed once.

    python -m benchmarks.inner_loop [--rounds=5] [--out=benchmarks/README.md]

All forms of a table run in turns in one process on one thread; CPU time is measured.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.episode import Episode
from alfa_md.heads import LearnedHead, uniform, xavier
from alfa_md.learners.adapts import all_but_batch_norm, head_only
from alfa_md.learners.base import Learner
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.gradient import FEATURES, GradientLearner, Start
from alfa_md.learners.recorder import RECORD_AFTER
from alfa_md.normalization import batch_statistics
from alfa_md.objectives import REGRESSION
from alfa_md.rules.adam import Adam
from alfa_md.rules.alfa import alfa
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.sgd import sgd
from alfa_md.system.allocator import keep_freed_pages
from benchmarks.machine import clock, describe_machine
from benchmarks.page import write_chapter

CPU = torch.device("cpu")
RULES = {"sgd": sgd, "alfa": alfa, "momentum": Momentum, "adam": Adam}
NUM_CURVES, UPDATES = 4, 20  # an update, a turn


class EveryStep(GradientLearner):
    """ANIL as any learner without a cache: every inner step and the query set pass the backbone."""

    def start(self, episode: Episode, single_task: bool = True) -> Start:
        start = super().start(episode, single_task)
        return start._replace(constants={n: t for n, t in start.constants.items() if n != FEATURES}, query=None)


class Unrecorded(GradientLearner):
    """Every loss by autograd, also of a network that could be recorded."""

    losses = Learner.losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_pages()
    text = heading(options) + rules_table(options.rounds) + anil_table(options.rounds)
    print(text)
    if options.out:
        write_chapter(options.out, text)


def heading(options: argparse.Namespace) -> str:
    return f"""# Inner loops

`python -m benchmarks.inner_loop --rounds={options.rounds}`, {describe_machine(CPU)}. Second order, medians over rounds.

"""


def rules_table(rounds: int) -> str:
    """Updates a CPU second of four sine curves in three forms."""
    source = Sinusoids("sine", "train", Points(shots=10, queries=10), seed=0)
    curves = [source.episode(index) for index in range(NUM_CURVES)]
    rows = []
    for name, rule in RULES.items():
        forms = Unrecorded, GradientLearner, partial(GradientLearner, batching=vmapped)
        runs = [partial(repeat, UPDATES, outer_gradient(sine_learner(form, rule), curves)) for form in forms]
        repeat(RECORD_AFTER // (UPDATES * NUM_CURVES) + 1, runs[1])
        seconds = cpu_seconds(runs, rounds)
        rates = " | ".join(f"{UPDATES / median(times):.0f}" for times in seconds)
        ratio = median(a / b for a, b in zip(seconds[0], seconds[2], strict=True))
        rows.append(f"| {name} | {rates} | {ratio:.2f} |\n")
    title = "## Rules: updates of four sine curves a CPU second, MLP 2x40, k = 10\n\n"
    head = "| rule | one at a time by autograd | one at a time, recorded | stacked | stacked / autograd |\n"
    return title + head + "|---|---|---|---|---|\n" + "".join(rows) + "\n"


def sine_learner(form: Callable[..., GradientLearner], rule: Callable) -> GradientLearner:
    torch.manual_seed(0)
    parts = (RegressionMLP((40, 40)), LearnedHead(40, 1, uniform), partial(rule, inner_rate=0.01))
    return form(*parts, num_steps=5, first_order=False, objective=REGRESSION)


def anil_table(rounds: int) -> str:
    """CPU seconds of ANIL on 4-CONV, 84 px, 5-way 5-shot, 15 queries a class, 5 steps."""
    kinds = {
        "ANIL, features once": (GradientLearner, head_only),
        "ANIL, features at every step": (EveryStep, head_only),
        "MAML": (GradientLearner, all_but_batch_norm),
    }
    episode, rows = noise(), []
    learners = [conv_learner(*kind) for kind in kinds.values()]
    updates = cpu_seconds([outer_gradient(learner, [episode]) for learner in learners], rounds)
    evaluations = cpu_seconds([partial(evaluate, learner, episode) for learner in learners], rounds)
    for name, update, evaluation in zip(kinds, updates, evaluations, strict=True):
        ratios = (
            median(a / b for a, b in zip(t[1], o, strict=True))
            for t, o in ((updates, update), (evaluations, evaluation))
        )
        cells = (name, f"{median(update):.2f}", f"{median(evaluation):.2f}", *(f"{ratio:.2f}" for ratio in ratios))
        rows.append(f"| {' | '.join(cells)} |\n")
    title = "## ANIL: CPU seconds on 4-CONV, 84 px, 5-way 5-shot, 15 queries a class, 5 steps\n\n"
    head = "| learner | update | evaluation | every step / this: update | evaluation |\n|---|---|---|---|---|\n"
    return title + head + "".join(rows)


def conv_learner(kind: type[GradientLearner], adapts: Callable) -> GradientLearner:
    torch.manual_seed(0)
    parts = (Conv4(num_filters=48), LearnedHead(1200, 5, xavier), partial(alfa, inner_rate=0.01))
    return kind(*parts, num_steps=5, first_order=False, adapts=adapts, normalization=batch_statistics)


def noise() -> Episode:
    images = partial(torch.randn, generator=torch.Generator().manual_seed(0))
    support_y, query_y = (torch.arange(5).repeat_interleave(number) for number in (5, 15))
    return Episode(images(25, 3, 84, 84), support_y, images(75, 3, 84, 84), query_y, 5, "noise", "train", 0, 0)


def outer_gradient(learner: Learner, episodes: list[Episode]) -> Callable[[], None]:
    """The outer loss of some episodes and its gradient."""

    def run() -> None:
        learner.train().zero_grad()
        torch.stack([outcome.loss for outcome in learner.losses(episodes)]).mean().backward()

    return run


@torch.no_grad()
def evaluate(learner: Learner, episode: Episode) -> None:
    learner.eval()(episode)


def repeat(number: int, run: Callable[[], None]) -> None:
    for _ in range(number):
        run()


def cpu_seconds(runs: list[Callable[[], None]], rounds: int) -> list[list[float]]:
    """Seconds of every run in every round, in turns; the first round is warm-up."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(1 + rounds):
        for own, run in zip(seconds, runs, strict=True):
            with clock(CPU) as spent:
                run()
            own.append(spent())
    return [own[1:] for own in seconds]


if __name__ == "__main__":
    main()
