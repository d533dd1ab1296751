"""Inner-loop hyperparameters of a learner over many episodes, as arrays and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from alfa_md.errors import UserError
from alfa_md.evaluation.tables import without_formula
from alfa_md.learners.tracing import Trace, trace
from alfa_md.plotting.loaded_run import LoadedRun

HEADING = ("episode", "step", "tensor", "quantity", "value")
# The letters of ALFA for the hyperparameters that its rule reports; beta = 1 - decay.
LETTERS = {"rates": "alpha", "decays": "beta", "generated_rates": "a", "generated_decays": "d"}
LETTERS |= {"multiplier_rates": "A", "multiplier_decays": "B"}
MIN_SPREAD = 1e-3  # relative; below it, rates count as the same for every task


class HyperparameterValues(NamedTuple):
    """Hyperparameters of E episodes, S inner steps and N tensors.

    The update multiplies the gradient by alpha and the weights by beta = 1 - decay; a and d are the raw outputs of
    ALFA's generator, A and B its post-multipliers.
    """

    tensors: tuple[str, ...]
    labels: tuple[str, ...]  # names with shapes, "n" for a size that varies with the episode
    values: dict[str, np.ndarray]  # alpha, beta and, for ALFA, a, d, A, B; others by name -> [E, S, N] float64

    @property
    def diverged(self) -> int:
        """The number of episodes with a value that is not finite."""
        return int(sum(~np.isfinite(v).all(axis=(1, 2)) for v in self.values.values()).astype(bool).sum())

    def task_spread(self) -> float:
        """The largest difference of a rate between episodes, relative to its largest magnitude."""
        alpha = self.values["alpha"]
        size = np.abs(alpha).max(axis=0)
        with np.errstate(invalid="ignore"):  # values that are not finite
            return float((np.ptp(alpha, axis=0)[size > 0] / size[size > 0]).max(initial=0.0))

    def warning(self) -> str | None:
        """A warning if the generator gives every task the same rates, else None."""
        if "a" not in self.values or len(self.values["a"]) < 2 or not self.task_spread() < MIN_SPREAD:
            return None
        return (
            "warning: the spread of alpha over tasks is about 0 "
            f"({100 * self.task_spread():.2g} % of a rate at most): the generator gives every task the same rates"
        )

    def csv(self) -> bytes:
        """CSV with one line per value: episode, step, tensor, quantity, value."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADING)
        for episode, step, tensor in np.ndindex(self.values["alpha"].shape):
            row = (episode, step, without_formula(self.tensors[tensor]))
            writer.writerows((*row, name, repr(float(v[episode, step, tensor]))) for name, v in self.values.items())
        return text.getvalue().encode()


def measure_hyperparameters(run: LoadedRun, episodes: Iterable) -> HyperparameterValues:
    """Traces the learner on episodes. Raises UserError if it has no inner loop with rates."""
    traces = []
    for episode in episodes:
        seen = trace(run.learner, episode)
        if seen is None or not len(seen.values.get("rates", ())):
            learner = type(run.learner).__name__
            raise UserError(
                f"{run.name}: its {learner} takes no inner steps with rates; hyperparameters are drawn of a "
                "GradientLearner whose rule has them (alfa, lslr_decay, sgd, ...)"
            )
        traces.append(seen)
    return stack_traces(traces)


def stack_traces(traces: Sequence[Trace]) -> HyperparameterValues:
    """Stacks the traces of E episodes."""
    first = traces[0]
    values = {
        LETTERS.get(kind, kind): torch.stack([seen.values[kind] for seen in traces]).numpy() for kind in first.values
    }
    if "beta" in values:
        values["beta"] = 1 - values["beta"]
    shapes = zip(*(seen.shapes for seen in traces), strict=True)
    return HyperparameterValues(first.names, tuple(map(tensor_label, first.names, shapes)), values)


def tensor_label(name: str, shapes: Sequence[tuple[int, ...]]) -> str:
    """A tensor's name and shape, with "n" for sizes that vary over episodes: `head.weight [n×64]`."""
    sizes = zip(*shapes, strict=True)
    return f"{name} [{'×'.join(str(own[0]) if len(set(own)) == 1 else 'n' for own in sizes)}]"
