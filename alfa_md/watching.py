"""What TensorBoard shows of a run beside its curves: generated rates and decays, and the images of an episode."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.inner_loop import adapt
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner
from alfa_md.metrics_log import SummaryWriter
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hypers

THUMBNAIL = 64  # pixels; larger images are shrunk, so that a grid takes less than a megabyte
BORDER = 2  # pixels around every image
GREY = 0.5  # what is no image


class Trace(NamedTuple):
    """The hyperparameters of one inner loop, on the CPU; a rate of its own for every entry counts by its mean."""

    names: tuple[str, ...]  # N tensors, in the order of the columns
    rates: Tensor  # [S, N] float64
    decays: Tensor  # [S, N] float64


@torch.no_grad()
def trace(learner: Learner, episode: Episode) -> Trace | None:
    """The rates and decays that a learner's rule uses in its S meta-training steps on an episode.

    None for a learner without inner loop, and for a rule other than `AffineUpdate`. The learner's mode, gradients and
    random numbers stay as they are.
    """
    if not (isinstance(learner, GradientLearner) and isinstance(learner.rule, AffineUpdate)):
        return None
    seen: list[Hypers] = []
    hook = learner.rule.hypers.register_forward_hook(lambda module, inputs, hypers: seen.append(hypers))
    try:
        with evaluating(learner):
            initial, support_loss = learner.initial(episode), learner.support_loss(episode)
            adapt(initial, support_loss, learner.rule, learner.num_steps, first_order=True)
    finally:
        hook.remove()
    names = tuple(initial)
    return Trace(names, table([hypers.lr for hypers in seen], names), table([hypers.decay for hypers in seen], names))


@contextmanager
def evaluating(learner: nn.Module) -> Iterator[None]:
    """Evaluation mode, in which no layer draws random numbers; afterwards every module is in its own mode again."""
    modes = [(module, module.training) for module in learner.modules()]
    learner.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def table(steps: list[dict], names: tuple[str, ...]) -> Tensor:
    """One number a step and tensor [S, N], of values that are floats or tensors on any device."""
    rows = [torch.stack([torch.as_tensor(step[name]).double().mean() for name in names]) for step in steps]
    return torch.stack(rows).cpu() if rows else torch.zeros(0, len(names), dtype=torch.float64)


def episode_grid(episode: Episode, max_classes: int = 8, max_images: int = 8) -> Tensor:
    """An episode as one picture [3, H, W] in [0, 1]: a row a class, support left, query right, a grey gap between."""
    rows = []
    for label in range(min(episode.way, max_classes)):
        sides = (episode.support_x[episode.support_y == label], episode.query_x[episode.query_y == label])
        left, right = (strip(images[:max_images], max_images) for images in sides)
        gap = torch.full((3, left.shape[1], left.shape[1] // 2), GREY)
        rows.append(torch.cat([left, gap, right], dim=2))
    return torch.cat(rows, dim=1)


def strip(images: Tensor, places: int) -> Tensor:
    """Images [n, C, H, W] in [-1, 1] side by side [3, h, w] in [0, 1]; places without an image are grey."""
    images = (images.detach().float().cpu() + 1).div(2).clamp(0, 1)
    images = images.expand(-1, 3, -1, -1)
    if max(images.shape[2:]) > THUMBNAIL:
        images = F.interpolate(images, size=(THUMBNAIL, THUMBNAIL), mode="area")
    images = F.pad(images, [0, 0, 0, 0, 0, 0, 0, places - len(images)], value=GREY)
    images = F.pad(images, [BORDER] * 4, value=GREY)
    return torch.cat(list(images), dim=2)


def watch(writer: SummaryWriter, learner: Learner, episode: Episode, step: int) -> None:
    """Writes the episode's images and, where the rule has something to learn, its rates and decays as histograms.

    A histogram for every inner step (over the tensors) under `rates_of_step/` and one for every tensor (over the
    steps) under `rates_of_tensor/`, the same for decays: 2 (S + N) tags, where one for each pair would be 2 S N.
    """
    if episode.support_x.dim() == 4:
        writer.add_image("episode/support_and_query", episode_grid(episode), step)
    seen = trace(learner, episode)
    if seen is None or not any(True for _ in learner.rule.parameters()):
        return
    for kind, values in (("rates", seen.rates), ("decays", seen.decays)):
        for number, row in enumerate(values):
            add_histogram(writer, f"{kind}_of_step/{number + 1}", row, step)
        for name, column in zip(seen.names, values.T, strict=True):
            add_histogram(writer, f"{kind}_of_tensor/{name}", column, step)


def add_histogram(writer: SummaryWriter, tag: str, values: Tensor, step: int) -> None:
    """A histogram of the finite values; TensorBoard's own raises where there is none."""
    finite = values[values.isfinite()]
    if len(finite):
        writer.add_histogram(tag, finite, step)


def peak_memory(device: torch.device) -> int:
    """The most memory so far in bytes: of tensors on a GPU, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
