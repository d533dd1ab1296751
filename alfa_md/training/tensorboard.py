"""What TensorBoard shows of a run beside its curves: generated rates and decays, and the images of an episode."""

import resource
import sys

import torch
from torch import Tensor

from alfa_md.data.image_grid import episode_grid
from alfa_md.episode import Episode
from alfa_md.learners.base import Learner
from alfa_md.learners.tracing import trace
from alfa_md.training.metrics_log import SummaryWriter


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
    for kind, values in seen.values.items():
        if "_" in kind:  # a factor of another one
            continue
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
