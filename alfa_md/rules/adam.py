"""Adam (Kingma, Ba, ICLR 2015) as an inner-loop update rule, with a learned rate per layer."""

import gin

from alfa_md.params import Params, Template, zeros_like
from alfa_md.rules.base import State, UpdateRule
from alfa_md.rules.granularities import PerLayer
from alfa_md.rules.layerwise import NamedValues
from alfa_md.values import Momentum, NonNegative, Positive


@gin.configurable("adam")
class Adam(UpdateRule):
    """theta' = theta - alpha m^ / sqrt(v^ + eps), with the bias-corrected moments m^ and v^ of the support gradients.

    alpha [N] is learned, initialised with `inner_rate`. eps is inside the root: Adam's own sqrt(v^) + eps has no second
    derivative where a gradient is zero. Both moments are 0 at the start of a task.
    """

    def __init__(
        self,
        template: Template,
        num_steps: int,
        inner_rate: NonNegative = gin.REQUIRED,
        b1: Momentum = 0.9,
        b2: Momentum = 0.999,
        eps: Positive = 1e-8,
    ):
        super().__init__()
        self.lr, self.b1, self.b2, self.eps = PerLayer(template, inner_rate), b1, b2, eps

    def init(self, params: Params) -> State:
        return zeros_like(params), zeros_like(params)

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        alpha, _ = self.lr(params, grads, (), step)
        m = {name: self.b1 * state[0][name] + (1 - self.b1) * g for name, g in grads.items()}
        v = {name: self.b2 * state[1][name] + (1 - self.b2) * g * g for name, g in grads.items()}
        m_bias, v_bias = 1 - self.b1 ** (step + 1), 1 - self.b2 ** (step + 1)
        after = {
            name: theta - alpha[name] * (m[name] / m_bias) * (v[name] / v_bias + self.eps).rsqrt()
            for name, theta in params.items()
        }
        return after, (m, v)

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, NamedValues]:
        return {"rates": self.lr(params, grads, (), step)[0]}
