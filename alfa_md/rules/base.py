"""The interfaces of the inner loop: an update rule, and where its hyperparameters come from."""

from operator import mul
from typing import NamedTuple

from torch import nn

from alfa_md.params import Params
from alfa_md.rules.layerwise import Named, entrywise


class Hypers(NamedTuple):
    """A learning rate and a decay for every tensor, each broadcastable to it; the product is taken entry by entry."""

    lr: Named
    decay: Named

    def times(self, other: "Hypers") -> "Hypers":
        """The product of two sets of hyperparameters of the same tensors."""
        return Hypers(entrywise(mul, self.lr, other.lr), entrywise(mul, self.decay, other.decay))


class Values(nn.Module):
    """One hyperparameter of inner step `step` for every tensor, broadcastable to it."""

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        raise TypeError(f"{type(self).__name__} gives no values: define its forward")

    def for_task(self) -> "Values":
        """The same values at the start of a task; only what remembers something between steps is another object."""
        return self


class HyperSource(nn.Module):
    """Hyperparameters of inner step `step`, from the fast weights and their support gradients."""

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        raise TypeError(f"{type(self).__name__} gives no hyperparameters: define its forward")

    def for_task(self) -> "HyperSource":
        """See `Values.for_task`."""
        return self


class UpdateRule(nn.Module):
    """theta_{i+1} from theta_i and its support gradient: pure, the same names and shapes out as in."""

    def forward(self, params: Params, grads: Params, step: int) -> Params:
        raise TypeError(f"{type(self).__name__} updates nothing: define its forward")

    def for_task(self) -> "UpdateRule":
        """See `Values.for_task`."""
        return self
