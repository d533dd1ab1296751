"""Updates of small networks on one core, by the build that is found first on the path: for `benchmarks.overhead`.

Reads the name of a run from every line of standard input, runs it, prints its CPU milliseconds an update. Works with
the build of commit 78b7539 too, whose modules and bindings have other names.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import alfa_md
from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.episode import Episode
from alfa_md.heads import LearnedHead, uniform, xavier
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import batch_statistics
from alfa_md.objectives import REGRESSION
from alfa_md.rules.alfa import alfa

NEW = (Path(alfa_md.__file__).parent / "training").is_dir()
if NEW:
    from alfa_md.experiment.checkpoint import TrainState
    from alfa_md.kernels.fx_replay import Recording
    from alfa_md.learners.adapts import all_but_batch_norm
    from alfa_md.learners.recorder import AFTER, Loss, tensors
    from alfa_md.system.allocator import keep_freed_pages
    from alfa_md.training.step import outer_step
else:
    from alfa_md.allocator import keep_freed_pages
    from alfa_md.checkpoint import TrainState
    from alfa_md.outer_step import outer_step

RULE = partial(alfa, inner_rate=0.01)
SINE, CONV = "sine curve, MLP 2x40, k = 10", "4-CONV, 28 px, 5-way 1-shot"
UPDATES = {SINE: 40, CONV: 3}  # a turn


def sine(first_order: bool) -> tuple[GradientLearner, Episode]:
    parts = (RegressionMLP((40, 40)), LearnedHead(40, 1, uniform), RULE)
    learner = GradientLearner(*parts, num_steps=5, first_order=first_order, objective=REGRESSION)
    return learner, Sinusoids("sine", "train", Points(shots=10, queries=10), seed=0).episode(0)


def convolutions(first_order: bool) -> tuple[GradientLearner, Episode]:
    adapts = {"adapts": all_but_batch_norm} if NEW else {"adapt_batch_norm": False}
    parts = (Conv4(num_filters=48), LearnedHead(48, 5, xavier), RULE)
    options = {"num_steps": 5, "first_order": first_order, "normalization": batch_statistics} | adapts
    support_y, images = torch.arange(5), partial(torch.randn, generator=torch.Generator().manual_seed(0))
    query_y = support_y.repeat_interleave(15)
    episode = Episode(images(5, 3, 28, 28), support_y, images(75, 3, 28, 28), query_y, 5, "noise", "train", 0, 0)
    return GradientLearner(*parts, **options), episode


def updates(case: str, first_order: bool) -> Callable[[], object]:
    """One outer update of ALFA from one episode: inner loop, gradients, clipping, Adam."""
    torch.manual_seed(0)
    learner, episode = {SINE: sine, CONV: convolutions}[case](first_order)
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-4)
    state = TrainState(learner, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 10**6))
    run = partial(outer_step, state, [episode], 10.0)
    for _ in range(AFTER + 10 if NEW and case == SINE else 2):
        run()
    return run


def operations(case: str, first_order: bool) -> Callable[[], object]:
    """The operations of one outer loss and its gradients, recorded and run again without the package."""
    torch.manual_seed(0)
    learner, episode = {SINE: sine, CONV: convolutions}[case](first_order)
    named = dict(learner.named_parameters())
    module = Loss(learner, episode)

    def loss(*given: torch.Tensor) -> tuple:
        learned = {f"learner.{name}": tensor for name, tensor in zip(named, given, strict=False)}
        return torch.func.functional_call(module, learned, given[len(named) :])

    given = [*named.values(), *tensors(episode)]
    recording, cotangent = Recording(loss, list(named.values()), tensors(episode)), torch.ones(())

    @torch.no_grad()
    def run() -> None:
        _, _, *saved = recording.forward(*given)
        recording.backward(cotangent, *saved)

    run()
    return run


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_pages()
    runs: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        what, case, order = name = tuple(line.rstrip("\n").split("|"))
        if name not in runs:
            runs[name] = {"updates": updates, "operations": operations}[what](case, order == "first order")
        start = time.process_time()
        for _ in range(UPDATES[case]):
            runs[name]()
        print((time.process_time() - start) / UPDATES[case] * 1000, flush=True)


if __name__ == "__main__":
    main()
