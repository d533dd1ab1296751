"""The hyperparameters of many episodes as arrays, and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from alfa_md.errors import UserError
from alfa_md.learners.tracing import Trace, trace
from alfa_md.plotting.subject import Subject

HEADING = ("episode", "step", "tensor", "quantity", "value")
# The letters of ALFA for the hyperparameters that its rule reports; beta = 1 - decay.
SIGNS = {"rates": "alpha", "decays": "beta", "generated_rates": "a", "generated_decays": "d"}
SIGNS |= {"multiplier_rates": "A", "multiplier_decays": "B"}
SMALL = 1e-3  # of its size; by less, no rate is said to depend on the task


class Measured(NamedTuple):
    """Values of E episodes, S inner steps and N tensors.

    alpha and beta = 1 - decay are what the update multiplies gradient and weights with; a and d are the raw outputs
    of ALFA's generator, A and B its post-multipliers.
    """

    tensors: tuple[str, ...]
    labels: tuple[str, ...]  # the tensors with their shapes, "n" where a size changes with the episode
    values: dict[str, np.ndarray]  # alpha, beta and, of ALFA, a, d, A, B; others by name -> [E, S, N] float64

    def task_spread(self) -> float:
        """The largest difference of a rate between episodes, as a share of that rate's size."""
        alpha = self.values["alpha"]
        size = np.abs(alpha).max(axis=0)
        return float((np.ptp(alpha, axis=0)[size > 0] / size[size > 0]).max(initial=0.0))

    def warning(self) -> str | None:
        """A line to print where a generator gives every task the same rates."""
        if "a" not in self.values or len(self.values["a"]) < 2 or not self.task_spread() < SMALL:
            return None
        return (
            "warning: the spread of alpha over tasks is about 0 "
            f"({100 * self.task_spread():.2g} % of a rate at most): the generator gives every task the same rates"
        )

    def csv(self) -> bytes:
        """A row for every number, in the order of the columns."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADING)
        for episode, step, tensor in np.ndindex(self.values["alpha"].shape):
            row = (episode, step, self.tensors[tensor])
            writer.writerows((*row, name, repr(float(v[episode, step, tensor]))) for name, v in self.values.items())
        return text.getvalue().encode()


def measure(subject: Subject, episodes: Iterable) -> Measured:
    """Traces the learner on episodes. Raises UserError where it has no rates in an inner loop."""
    traces = []
    for episode in episodes:
        seen = trace(subject.learner, episode)
        if seen is None or not len(seen.values.get("rates", ())):
            learner = type(subject.learner).__name__
            raise UserError(
                f"{subject.name}: its {learner} takes no inner steps with rates; hyperparameters are drawn of a "
                "GradientLearner whose rule has them (alfa, lslr_decay, sgd, ...)"
            )
        traces.append(seen)
    return stacked(traces)


def stacked(traces: Sequence[Trace]) -> Measured:
    """The traces of E episodes as one."""
    first = traces[0]
    values = {
        SIGNS.get(kind, kind): torch.stack([seen.values[kind] for seen in traces]).numpy() for kind in first.values
    }
    if "beta" in values:
        values["beta"] = 1 - values["beta"]
    shapes = zip(*(seen.shapes for seen in traces), strict=True)
    return Measured(first.names, tuple(map(label, first.names, shapes)), values)


def label(name: str, shapes: Sequence[tuple[int, ...]]) -> str:
    """A tensor's name and its shape over the episodes: `head.weight [n×64]`."""
    sizes = zip(*shapes, strict=True)
    return f"{name} [{'×'.join(str(own[0]) if len(set(own)) == 1 else 'n' for own in sizes)}]"
