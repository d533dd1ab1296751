"""Hyperparameters by granularity: constant, per step, per layer, per step and layer, per parameter; and products.

Learned values are shared by all tasks. Inner steps beyond the last learned one use its value.
"""

from collections.abc import Sequence
from operator import mul

import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template
from alfa_md.rules.base import Hyperparameter, State
from alfa_md.rules.layerwise import Layerwise, NamedValues, Shared, entrywise


class Constant(Hyperparameter):
    """One value for every tensor and step, not learned."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Shared(params, self.value), state


class PerStep(Hyperparameter):
    """A learned value for every step [S], shared by all tensors."""

    def __init__(self, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(filled((checked_num_steps(num_steps),), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Shared(params, value_at_step(self.values, step)), state


class PerLayer(Hyperparameter):
    """A learned value for every tensor [N], shared by all steps."""

    def __init__(self, template: Template, start: float):
        super().__init__()
        self.values = nn.Parameter(filled((len(template),), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Layerwise(params, self.values), state


class PerStepPerLayer(Hyperparameter):
    """A learned value for every step and tensor [S, N]."""

    def __init__(self, template: Template, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(filled((checked_num_steps(num_steps), len(template)), start))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Layerwise(params, value_at_step(self.values, step)), state


class PerParameter(Hyperparameter):
    """A learned value for every entry of every tensor, shared by all steps.

    If the head has more classes than the episode, the first rows are used. Raises UserError for fast weights without
    a fixed shape, such as those of a head made per episode.
    """

    def __init__(self, template: Template, start: float):
        super().__init__()
        for name, tensor in template.items():
            if not isinstance(tensor, Tensor):
                raise UserError(f"a value for every entry of {name} needs a head of fixed size; bind @LearnedHead()")
        self.values = nn.ParameterList(filled(tensor.shape, start) for tensor in template.values())

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        named = zip(params.items(), self.values, strict=True)
        return {name: own[: len(theta)] for (name, theta), own in named}, state


class Times(Hyperparameter):
    """The product of two hyperparameters."""

    def __init__(self, first: Hyperparameter, second: Hyperparameter):
        super().__init__()
        self.first, self.second = first, second

    def init(self, params: Params) -> State:
        return self.first.init(params), self.second.init(params)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        first, first_state = self.first(params, grads, state[0], step)
        second, second_state = self.second(params, grads, state[1], step)
        return entrywise(mul, first, second), (first_state, second_state)


class FromFirstStep(Hyperparameter):
    """The values of `source` at the first inner step of a task, reused in all its steps."""

    def __init__(self, source: Hyperparameter):
        super().__init__()
        self.source = source

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        values = state or self.source(params, grads, self.source.init(params), step)[0]
        return values, values


def filled(shape: Sequence[int], start: float) -> Tensor:
    """A float tensor of one value, also where that is written as a whole number: `INNER_RATE = 1`."""
    return torch.full(shape, float(start))


def value_at_step(values: Tensor, step: int) -> Tensor:
    """Row `step` of `values`; the last row for further steps."""
    return values[min(step, len(values) - 1)]


def checked_num_steps(num_steps: int) -> int:
    """Returns `num_steps`. Raises UserError if it is less than 1."""
    if num_steps < 1:
        raise UserError(f"rates for every inner step need num_steps >= 1, not {num_steps}")
    return num_steps
