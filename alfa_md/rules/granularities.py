"""Hyperparameters by granularity: constant, per step, per layer, per step and layer, per parameter; and products.

The learned ones are the same for all tasks. Inner steps beyond the last learned one use its value.
"""

from operator import mul

import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template
from alfa_md.rules.base import Hyperparameter, State
from alfa_md.rules.layerwise import Layerwise, Named, entrywise


class Constant(Hyperparameter):
    """One value for every tensor and step, not learned."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return dict.fromkeys(params, self.value), state


class PerStep(Hyperparameter):
    """A learned value for every step [S], shared by all tensors."""

    def __init__(self, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((at_least_one(num_steps),), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return dict.fromkeys(params, of_step(self.values, step)), state


class PerLayer(Hyperparameter):
    """A learned value for every tensor [N], shared by all steps."""

    def __init__(self, template: Template, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((len(template),), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return Layerwise(params, self.values), state


class PerStepPerLayer(Hyperparameter):
    """A learned value for every step and tensor [S, N]."""

    def __init__(self, template: Template, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((at_least_one(num_steps), len(template)), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return Layerwise(params, of_step(self.values, step)), state


class PerParameter(Hyperparameter):
    """A learned value for every entry of every tensor, shared by all steps.

    A head of more classes than the episode uses the first rows of its values. Raises UserError for fast weights whose
    shape is another in every episode.
    """

    def __init__(self, template: Template, start: float):
        super().__init__()
        for name, tensor in template.items():
            if not isinstance(tensor, Tensor):
                raise UserError(f"a value for every entry of {name} needs a head of fixed size; bind @LearnedHead()")
        self.values = nn.ParameterList(torch.full(tensor.shape, start) for tensor in template.values())

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        named = zip(params.items(), self.values, strict=True)
        return {name: own[: len(theta)] for (name, theta), own in named}, state


class Times(Hyperparameter):
    """The product of two hyperparameters."""

    def __init__(self, first: Hyperparameter, second: Hyperparameter):
        super().__init__()
        self.first, self.second = first, second

    def init(self, params: Params) -> State:
        return self.first.init(params), self.second.init(params)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        first, first_state = self.first(params, grads, state[0], step)
        second, second_state = self.second(params, grads, state[1], step)
        return entrywise(mul, first, second), (first_state, second_state)


class FromFirstStep(Hyperparameter):
    """The values that `source` gives at the first inner step of a task, for all its steps."""

    def __init__(self, source: Hyperparameter):
        super().__init__()
        self.source = source

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        values = state or self.source(params, grads, self.source.init(params), step)[0]
        return values, values


def of_step(values: Tensor, step: int) -> Tensor:
    """The row of an inner step, the last row for steps beyond it."""
    return values[min(step, len(values) - 1)]


def at_least_one(num_steps: int) -> int:
    """`num_steps`. Raises UserError if there is no inner step to learn a value for."""
    if num_steps < 1:
        raise UserError(f"rates for every inner step need num_steps >= 1, not {num_steps}")
    return num_steps
