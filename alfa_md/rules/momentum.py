"""Gradient descent with heavy-ball momentum (Polyak, 1964); learned rate and momentum per layer."""

import gin

from alfa_md.params import Params, Template, zeros_like
from alfa_md.rules.base import State, UpdateRule
from alfa_md.rules.granularities import PerLayer
from alfa_md.rules.layerwise import NamedValues
from alfa_md.values import NonNegative, Share


@gin.configurable("momentum")
class Momentum(UpdateRule):
    """m' = mu m + g, theta' = theta - alpha m', with alpha [N] and mu [N] learned and shared by all steps.

    `inner_rate` initialises alpha, `momentum` mu; m is 0 at the start of a task.
    """

    def __init__(
        self, template: Template, num_steps: int, inner_rate: NonNegative = gin.REQUIRED, momentum: Share = 0.9
    ):
        super().__init__()
        self.lr, self.mu = PerLayer(template, inner_rate), PerLayer(template, momentum)

    def init(self, params: Params) -> State:
        return zeros_like(params)

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        (alpha, _), (mu, _) = self.lr(params, grads, (), step), self.mu(params, grads, (), step)
        m = {name: mu[name] * state[name] + g for name, g in grads.items()}
        return {name: theta - alpha[name] * m[name] for name, theta in params.items()}, m

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, NamedValues]:
        return {"rates": self.lr(params, grads, (), step)[0], "momenta": self.mu(params, grads, (), step)[0]}
