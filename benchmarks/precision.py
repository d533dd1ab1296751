"""What a support gradient of ResNet-18 costs in float32 and in bfloat16, in CPU time.

    python -m benchmarks.precision [--rounds=7] [--images=100] [--size=126]

Both take turns in one process with one thread, so that a noisy machine harms them alike.
"""

import argparse
import time
from functools import partial
from statistics import median

import torch
from torch import Tensor

from alfa_md.allocator import keep_freed_pages
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.episode import Episode
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.precision import Precision, bfloat16, float32
from alfa_md.rules.sgd import sgd

WAY = 10
PRECISIONS = (float32, bfloat16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", default=7, type=int)
    parser.add_argument("--images", default=100, type=int)
    parser.add_argument("--size", default=126, type=int)
    options = parser.parse_args()
    keep_freed_pages()  # as every command does
    torch.set_num_threads(1)
    turns = [prepared(precision, episode(options.images, options.size)) for precision in PRECISIONS]
    for turn in turns:
        turn()  # warms up
    seconds = [[spent(turn) for turn in turns] for _ in range(options.rounds)]
    for precision, times in zip(PRECISIONS, zip(*seconds, strict=True), strict=True):
        print(f"{precision.__name__}: {median(times):.2f} CPU s a gradient of {options.images} images")
    ratios = sorted(fine / coarse for fine, coarse in seconds)
    print(f"ratio, median of {options.rounds}: {median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


def episode(images: int, size: int) -> Episode:
    """Noise of ten classes; the query set is not looked at."""
    torch.manual_seed(0)
    x = torch.randn(images, 3, size, size).to(memory_format=torch.channels_last)
    return Episode(x, torch.arange(images) % WAY, x[:0], torch.arange(0), WAY, "noise", "train", 0, 0)


def prepared(precision: Precision, task: Episode):
    """A function that takes the gradient of the support loss by all fast weights."""
    learner = GradientLearner(ResNet18(), PrototypeHead(), partial(sgd, inner_rate=0.01), 1, precision=precision)
    learner.to(memory_format=torch.channels_last)
    with torch.no_grad():
        theta = {name: tensor.detach().requires_grad_() for name, tensor in learner.initial(task).items()}
    loss = learner.support_loss(task)

    def gradient() -> tuple[Tensor, ...]:
        return torch.autograd.grad(loss(theta), list(theta.values()))

    return gradient


def spent(turn) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    turn()
    return time.process_time() - start


if __name__ == "__main__":
    main()
