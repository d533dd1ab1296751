"""Interfaces of inner-loop optimisers: update rules, their hyperparameters, and the sources of these.

As in optax, state is explicit: `init(params)` makes the state of a task, every call takes (params, grads, state, step)
and returns its result and the next state. Modules keep no state between calls, so every rule works under vmap, with
recomputation and in CUDA graphs.
"""

from operator import mul
from typing import Any, NamedTuple

from torch import nn

from alfa_md.params import Params
from alfa_md.rules.layerwise import NamedValues, entrywise

# Nested tuples and dictionaries of tensors; () for rules without state.
State = Any


class Hypers(NamedTuple):
    """A learning rate and a weight decay for every tensor, each broadcastable to it."""

    lr: NamedValues
    decay: NamedValues

    def times(self, other: "Hypers") -> "Hypers":
        """The entry-wise product with other hyperparameters of the same tensors."""
        return Hypers(entrywise(mul, self.lr, other.lr), entrywise(mul, self.decay, other.decay))


class Hyperparameter(nn.Module):
    """One hyperparameter of inner step `step`: a value for every tensor, broadcastable to it."""

    def init(self, params: Params) -> State:
        """The state at the start of a task."""
        return ()

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        raise TypeError(f"{type(self).__name__} gives no values: define its forward")


class HyperSource(nn.Module):
    """Learning rates and decays of inner step `step`, from the fast weights and their support gradients."""

    def init(self, params: Params) -> State:
        """The state at the start of a task."""
        return ()

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        raise TypeError(f"{type(self).__name__} gives no hyperparameters: define its forward")

    def factors(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Hypers]:
        """Named factors of the values, such as `generated` and `multiplier`, for logs and figures."""
        return {}


class UpdateRule(nn.Module):
    """An inner-loop optimiser: theta_{i+1} from theta_i and its support gradient, as a pure function.

    Subclasses define `update`, `init` if they have state, and `hyperparameters` for what is logged.
    """

    def init(self, params: Params) -> State:
        """The state at the start of a task, from the fast weights that it starts with."""
        return ()

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        """(next fast weights, of the same names and shapes; next state). `step` counts from 0."""
        raise TypeError(f"{type(self).__name__} updates nothing: define its update")

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, NamedValues]:
        """The values that `update` uses for the same arguments, for TensorBoard and figures.

        Keys are plural nouns: `rates` (required by the contract), `decays`, `momenta`. Factors of them have prefixes,
        as in `generated_rates` and `multiplier_rates`, and are plotted separately.
        """
        return {}
