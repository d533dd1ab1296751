"""Interfaces of an inner-loop optimiser: the update rule, its hyperparameters, and where they come from.

As in optax, state is explicit: `init(params)` makes the state of a task, every call takes (params, grads, state, step)
and returns its result and the next state. Nothing is kept on a module between calls, so that a rule works stacked under
vmap, under recomputation and in a CUDA graph by itself.
"""

from operator import mul
from typing import Any, NamedTuple

from torch import nn

from alfa_md.params import Params
from alfa_md.rules.layerwise import Named, entrywise

# Nested tuples and dictionaries of tensors; () where nothing is carried from one inner step to the next.
State = Any


class Hypers(NamedTuple):
    """A learning rate and a weight decay for every tensor, each broadcastable to it."""

    lr: Named
    decay: Named

    def times(self, other: "Hypers") -> "Hypers":
        """The entry-wise product with other hyperparameters of the same tensors."""
        return Hypers(entrywise(mul, self.lr, other.lr), entrywise(mul, self.decay, other.decay))


class Hyperparameter(nn.Module):
    """One hyperparameter of inner step `step`: a value for every tensor, broadcastable to it."""

    def init(self, params: Params) -> State:
        """The state at the start of a task."""
        return ()

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        raise TypeError(f"{type(self).__name__} gives no values: define its forward")


class HyperSource(nn.Module):
    """Learning rates and decays of inner step `step`, from the fast weights and their support gradients."""

    def init(self, params: Params) -> State:
        """The state at the start of a task."""
        return ()

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        raise TypeError(f"{type(self).__name__} gives no hyperparameters: define its forward")

    def factors(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Hypers]:
        """The factors that the values are a product of and that are worth a figure of their own, by name."""
        return {}


class UpdateRule(nn.Module):
    """An inner-loop optimiser: theta_{i+1} from theta_i and its support gradient, as a pure function.

    A rule of its own defines `update`, `init` where it carries something from step to step, and `hyperparameters` where
    there is something to log.
    """

    def init(self, params: Params) -> State:
        """The state at the start of a task, from the fast weights that it starts with."""
        return ()

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        """The next fast weights, of the same names and shapes, and the next state. `step` counts from 0."""
        raise TypeError(f"{type(self).__name__} updates nothing: define its update")

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Named]:
        """The values that `update` uses on the same arguments, for TensorBoard and figures.

        By plural nouns, such as `rates` (which the contract asks for), `decays`, `momenta`; factors of them as
        `generated_rates`, `multiplier_rates`, which have figures of their own.
        """
        return {}
