"""One hyperparameter for every tensor: constant, or learned at one of four granularities, and products of them.

Nothing here looks at the task: what is learned is the same for all tasks. Steps beyond the last use the last.
"""

from operator import mul

import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template
from alfa_md.rules.base import Values
from alfa_md.rules.layerwise import Layerwise, Named, entrywise


class Constant(Values):
    """One value for every tensor and step, not learned."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return dict.fromkeys(params, self.value)


class PerStep(Values):
    """A learned value for every step [S], shared by all tensors."""

    def __init__(self, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((at_least_one(num_steps),), start))

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return dict.fromkeys(params, of_step(self.values, step))


class PerLayer(Values):
    """A learned value for every tensor [N], shared by all steps."""

    def __init__(self, template: Template, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((len(template),), start))

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return Layerwise(params, self.values)


class PerStepPerLayer(Values):
    """A learned value for every step and tensor [S, N]."""

    def __init__(self, template: Template, num_steps: int, start: float):
        super().__init__()
        self.values = nn.Parameter(torch.full((at_least_one(num_steps), len(template)), start))

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return Layerwise(params, of_step(self.values, step))


class PerParameter(Values):
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

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return {name: own[: len(theta)] for (name, theta), own in zip(params.items(), self.values, strict=True)}


class Times(Values):
    """The product of two values."""

    def __init__(self, first: Values, second: Values):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return entrywise(mul, self.first(params, grads, step), self.second(params, grads, step))

    def for_task(self) -> Values:
        first, second = self.first.for_task(), self.second.for_task()
        return self if (first, second) == (self.first, self.second) else Times(first, second)


class FromFirstStep(Values):
    """What `source` gives at the first step of a task, kept for all its steps; of use only after `for_task`."""

    def __init__(self, source: Values):
        super().__init__()
        self.source = source

    def for_task(self) -> Values:
        return Kept(self.source)


class Kept(Values):
    """What `source` gives when it is first asked."""

    def __init__(self, source: Values):
        super().__init__()
        self.source = source
        self.kept: Named | None = None

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        if self.kept is None:
            self.kept = self.source(params, grads, step)
        return self.kept


def of_step(values: Tensor, step: int) -> Tensor:
    """The row of an inner step, or the last."""
    return values[min(step, len(values) - 1)]


def at_least_one(num_steps: int) -> int:
    if num_steps < 1:
        raise UserError(f"rates for every inner step need num_steps >= 1, not {num_steps}")
    return num_steps
