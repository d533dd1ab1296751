"""Learned hyperparameters per inner step and output channel, for `alfa.scale`. Not in the paper."""

import gin
from torch import Tensor, nn

from alfa_md.params import Params, Template
from alfa_md.rules.base import Hyperparameter, State
from alfa_md.rules.granularities import checked_num_steps, filled, value_at_step
from alfa_md.rules.layerwise import NamedValues

HEAD = "head."


@gin.configurable
class PerStepPerChannel(Hyperparameter):
    """A learned value for every step and output channel, the first dimension of a tensor: [S, C] each.

    One value per step [S, 1] for tensors of the head: their rows are the classes of an episode, in varying number and
    order.
    """

    def __init__(self, template: Template, num_steps: int, start: float):
        super().__init__()
        steps = checked_num_steps(num_steps)
        self.values = nn.ParameterList(filled((steps, values_per_step(*item)), start) for item in template.items())

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        """Values that broadcast along the first dimension: [C, 1, 1, 1] for a convolution, [C] for its bias."""
        named = zip(params.items(), self.values, strict=True)
        return {name: value_at_step(own, step).view(broadcast_shape(theta)) for (name, theta), own in named}, state


def values_per_step(name: str, tensor: object) -> int:
    """The number of values of a tensor per step: its output channels, or 1."""
    return len(tensor) if isinstance(tensor, Tensor) and tensor.dim() and not name.startswith(HEAD) else 1


def broadcast_shape(theta: Tensor) -> list[int]:
    """The shape that broadcasts values of the first dimension of a tensor to it: [-1, 1, ...]."""
    return [-1] + [1] * (theta.dim() - 1) if theta.dim() else []
