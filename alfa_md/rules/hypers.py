"""The parts that update rules are composed of: constant, learned per step and layer, and their product."""

import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template
from alfa_md.rules.base import Hypers, HyperSource


class Constant(HyperSource):
    """One rate and one decay for every tensor and step, not learned."""

    def __init__(self, lr: float, decay: float):
        super().__init__()
        self.lr, self.decay = lr, decay

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        return Hypers(dict.fromkeys(params, self.lr), dict.fromkeys(params, self.decay))


class PerStepPerLayer(HyperSource):
    """A meta-learned rate and decay for every step and tensor [S, N]; steps beyond the last use the last."""

    def __init__(self, template: Template, num_steps: int, lr: float, decay: float):
        super().__init__()
        if num_steps < 1:
            raise UserError(f"rates for every inner step need num_steps >= 1, not {num_steps}")
        self.lr = nn.Parameter(torch.full((num_steps, len(template)), lr))
        self.decay = nn.Parameter(torch.full((num_steps, len(template)), decay))

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        row = min(step, len(self.lr) - 1)
        return Hypers(
            dict(zip(params, self.lr[row].unbind(), strict=True)),
            dict(zip(params, self.decay[row].unbind(), strict=True)),
        )


class Product(HyperSource):
    """The entry-wise product of two sources."""

    def __init__(self, first: HyperSource, second: HyperSource):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        return self.first(params, grads, step).times(self.second(params, grads, step))
