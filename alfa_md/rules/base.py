"""The two interfaces of the inner loop: an update rule, and where its hyperparameters come from."""

from typing import NamedTuple

from torch import nn

from alfa_md.params import Params


class Hypers(NamedTuple):
    """A learning rate and a decay for every tensor, each broadcastable to it; the product is taken entry by entry."""

    lr: Params
    decay: Params

    def times(self, other: "Hypers") -> "Hypers":
        """The product of two sets of hyperparameters of the same tensors."""
        return Hypers(
            {name: value * other.lr[name] for name, value in self.lr.items()},
            {name: value * other.decay[name] for name, value in self.decay.items()},
        )


class HyperSource(nn.Module):
    """Hyperparameters of inner step `step`, from the fast weights and their support gradients."""

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        raise TypeError(f"{type(self).__name__} gives no hyperparameters: define its forward")


class UpdateRule(nn.Module):
    """theta_{i+1} from theta_i and its support gradient: pure, the same names and shapes out as in."""

    def forward(self, params: Params, grads: Params, step: int) -> Params:
        raise TypeError(f"{type(self).__name__} updates nothing: define its forward")
