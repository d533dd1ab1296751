"""TensorBoard images and histograms of a run: one validation episode and the inner loop's rates and decays on it."""

import math
import resource
import sys

import torch
from torch import Tensor

from alfa_md.data.image_grid import episode_grid
from alfa_md.episode import Episode
from alfa_md.learners.base import Learner
from alfa_md.learners.tracing import Trace, trace
from alfa_md.training.tensorboard_writer import TensorBoardWriter

LARGEST = 1e19  # TensorBoard's histograms end at 1e20, and it raises on one that is empty


def log_tensorboard(writer: TensorBoardWriter, learner: Learner, episode: Episode, step: int) -> None:
    """Writes the episode's images and, if the update rule has parameters, histograms of its rates and decays.

    One histogram per inner step (over the tensors) under `rates_of_step/` and one per tensor (over the steps) under
    `rates_of_tensor/`, likewise for decays: 2 (S + N) tags for S steps and N tensors instead of 2 S N.
    """
    if episode.support_x.dim() == 4:
        writer.add_image("episode/support_and_query", episode_grid(episode), step)
    seen = trace_learned_rule(learner, episode)
    for kind, values in (seen.values if seen else {}).items():
        for number, row in enumerate(values):
            add_histogram(writer, f"{kind}_of_step/{number + 1}", row, step)
        for name, column in zip(seen.names, values.T, strict=True):
            add_histogram(writer, f"{kind}_of_tensor/{name}", column, step)


def mean_hyperparameters(learner: Learner, episode: Episode) -> dict[str, float]:
    """`mean_rates`, `mean_decays`, ... over the inner steps and tensors; empty for a rule without parameters."""
    seen = trace_learned_rule(learner, episode)
    means = {kind: values.mean().item() for kind, values in (seen.values if seen else {}).items()}
    return {f"mean_{kind}": mean for kind, mean in means.items() if math.isfinite(mean)}


def trace_learned_rule(learner: Learner, episode: Episode) -> Trace | None:
    """The hyperparameters that a rule with parameters uses on an episode, without the factors they are products of."""
    if not hasattr(learner, "rule") or not any(True for _ in learner.rule.parameters()):
        return None
    seen = trace(learner, episode)
    return seen and seen._replace(values={kind: values for kind, values in seen.values.items() if "_" not in kind})


def add_histogram(writer: TensorBoardWriter, tag: str, values: Tensor, step: int) -> None:
    """Writes a histogram of the finite values, if any; those beyond LARGEST, of a run that diverges, count as that."""
    finite = values[values.isfinite()]
    if len(finite):
        writer.add_histogram(tag, finite.float().clamp(-LARGEST, LARGEST), step)


def peak_memory(device: torch.device) -> int:
    """Peak memory in bytes: of tensors on a GPU, or the resident set of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
