"""Gradient clipping by global norm in the inner loop, around any update rule."""

from collections.abc import Callable

import gin
import torch

from alfa_md.params import Params, Template
from alfa_md.rules.base import State, UpdateRule
from alfa_md.rules.layerwise import NamedValues
from alfa_md.values import Positive


@gin.configurable("clipped")
class Clipped(UpdateRule):
    """The update of `rule` on support gradients clipped to a global norm of at most `max_norm`.

    The norm is over all tensors, as in `torch.nn.utils.clip_grad_norm_`.
    """

    def __init__(
        self,
        template: Template,
        num_steps: int,
        rule: Callable[[Template, int], UpdateRule] = gin.REQUIRED,
        max_norm: Positive = gin.REQUIRED,
    ):
        super().__init__()
        self.rule, self.max_norm = rule(template, num_steps), max_norm

    def init(self, params: Params) -> State:
        return self.rule.init(params)

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        return self.rule.update(params, self.clip(grads), state, step)

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, NamedValues]:
        return self.rule.hyperparameters(params, self.clip(grads), state, step)

    def clip(self, grads: Params) -> Params:
        """The gradients times min(1, max_norm / norm)."""
        squared = torch.stack([g.square().sum() for g in grads.values()]).sum()
        scale = self.max_norm * squared.clamp(min=self.max_norm**2).rsqrt()
        return {name: scale * g for name, g in grads.items()}
