"""LogRate: rates per output channel, generated in the log domain from a scale-free state. Not in the ALFA paper.

    theta_{i+1} = theta_i - h_i ((1 + v) B_i theta_i + e^u A_i g_i),   (u, v) = b tanh(g_phi(tau_i) / b)

with learned A and B per step and channel, and h_i = 1 in the S learned steps; after them A_S and B_S are used, halved
after every step, h_{S+n} = 2^-n, so that further steps in evaluation converge.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alfa_md.params import Params, Template, layer_means, zeros_like
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.alfa import scales
from alfa_md.rules.base import Hypers, HyperSource, State, UpdateRule
from alfa_md.rules.generator import mlp
from alfa_md.rules.hypers import Product
from alfa_md.rules.layerwise import NamedValues, entrywise
from alfa_md.rules.per_channel import PerStepPerChannel, broadcast_shape, values_per_step
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative, Positive, Width

TINY = 1e-12  # added to mean squares: a gradient of zero has a logarithm
STATISTICS = 4  # of the state, per tensor


@gin.configurable
class LogRates(HyperSource):
    """(e^u, 1 + v) per output channel, (u, v) = b tanh(W_2 relu(W_1 tau + b_1) / b): at first 1 everywhere.

    tau [4N] holds for every tensor log rms(g), cos(g, g') with the gradient g' of the step before (0 in the first),
    mean(g) / rms(g) and mean(theta) / rms(theta). No meta-gradient flows through g and g'. Tensors of the head have one
    value each, as in `PerStepPerChannel`.

    Args:
      template: the N fast weights.
      hidden: width of the hidden layer.
      bound: b; a rate is multiplied by e^-b to e^b.
    """

    def __init__(self, template: Template, hidden: Width = 32, bound: Positive = 2.0):
        super().__init__()
        self.sizes, self.bound = [values_per_step(*item) for item in template.items()], bound
        self.network = mlp([STATISTICS * len(template), hidden, 2 * sum(self.sizes)])
        nn.init.zeros_(self.network[-1].weight)
        nn.init.zeros_(self.network[-1].bias)

    def init(self, params: Params) -> State:
        return zeros_like(params)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        now = {name: g.detach() for name, g in grads.items()}
        u, v = (self.bound * torch.tanh(self.network(scale_free(params, now, state)) / self.bound)).chunk(2)
        return Hypers(self.by_name(params, u.exp()), self.by_name(params, 1 + v)), now

    def by_name(self, params: Params, values: Tensor) -> dict[str, Tensor]:
        """Values of all channels [sum of C] by tensor, each broadcasting along its first dimension."""
        named = zip(params.items(), values.split(self.sizes), strict=True)
        return {name: own.view(broadcast_shape(theta)) for (name, theta), own in named}

    def factors(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Hypers]:
        return {"generated": self(params, grads, state, step)[0]}


def scale_free(params: Params, grads: Params, before: Params) -> Tensor:
    """tau [4N]; but for log rms(g), it does not change when weights or gradients of a tensor are multiplied."""
    g, g_before, theta = (rms(tensors) for tensors in (grads, before, params))
    cosine = layer_means({name: grads[name] * before[name] for name in grads}) / (g * g_before)
    return torch.cat([g.log(), cosine, layer_means(grads) / g, layer_means(params) / theta])


def rms(tensors: Mapping[str, Tensor]) -> Tensor:
    """The root mean square of every tensor [N]."""
    return (layer_means({name: tensor * tensor for name, tensor in tensors.items()}) + TINY).sqrt()


@gin.configurable
class HalvedPerChannel(PerStepPerChannel):
    """`PerStepPerChannel`, with the value of the last step halved after every step beyond it."""

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        values, state = super().forward(params, grads, state, step)
        beyond = max(0, step + 1 - len(self.values[0]))
        return (entrywise(lambda value: value * 0.5**beyond, values) if beyond else values), state


@gin.configurable
def lograte(
    template: Template,
    num_steps: int,
    *,
    inner_rate: NonNegative = gin.REQUIRED,
    inner_decay: NonNegative = 5e-6,
    generator: type[LogRates] = LogRates,
) -> UpdateRule:
    """Generated factors e^u and 1 + v, times learned A and B [S, C] per step and channel.

    `inner_rate` initialises A, `inner_decay` B; both are unconstrained, as in ALFA.
    """
    learned = scales(template, num_steps, inner_rate, inner_decay, HalvedPerChannel)
    return AffineUpdate(Product(generator(template), learned))
