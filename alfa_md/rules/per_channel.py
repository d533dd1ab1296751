"""Hyperparameters learned per step and output channel, for `alfa.scale`. Not in the paper."""

import gin
import torch
from torch import Tensor, nn

from alfa_md.params import Params, Template
from alfa_md.rules.base import Hyperparameter, State
from alfa_md.rules.granularities import at_least_one, of_step
from alfa_md.rules.layerwise import Named

HEAD = "head."


@gin.configurable
class PerStepPerChannel(Hyperparameter):
    """A learned value for every step and output channel, the first dimension of a tensor: [S, C] each.

    One value a step [S, 1] for a tensor of the head, whose rows are classes: they come in any number and order, so
    that a row means something else in every episode.
    """

    def __init__(self, template: Template, num_steps: int, start: float):
        super().__init__()
        steps = at_least_one(num_steps)
        self.values = nn.ParameterList(torch.full((steps, channels(*item)), start) for item in template.items())

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        """Values that broadcast along the first dimension: [C, 1, 1, 1] for a convolution, [C] for its bias."""
        named = zip(params.items(), self.values, strict=True)
        return {name: of_step(own, step).view(leading(theta)) for (name, theta), own in named}, state


def channels(name: str, tensor: object) -> int:
    """The number of values that a tensor has at a step."""
    return len(tensor) if isinstance(tensor, Tensor) and tensor.dim() and not name.startswith(HEAD) else 1


def leading(theta: Tensor) -> list[int]:
    """The shape in which values for the first dimension of a tensor broadcast to it."""
    return [-1] + [1] * (theta.dim() - 1) if theta.dim() else []
