"""ALFA: Meta-Learning with Adaptive Hyperparameters (Baik, Choi, Choi, Kim, Lee; NeurIPS 2020; arXiv 2011.00209).

At every inner step i a small network g_phi reads the learning state tau, the layer-wise means of the fast weights and
of their support gradients, and generates a rate and a decay for every layer:

    (a, d)       = g_phi(tau_i)
    theta_{i+1}  = beta_i theta_i - a A_i grad_i,   beta_i = 1 - d B_i          (product taken layer by layer)

with A and B meta-learned for every step and layer. This is the form of the authors' code; their paper has
beta_i = d B_i, which needs B to start at 1.
"""

from collections.abc import Callable

import gin

from alfa_md.params import Params, Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hyperparameter, Hypers, HyperSource, State, UpdateRule
from alfa_md.rules.generator import Generator
from alfa_md.rules.granularities import Constant, PerParameter, PerStepPerLayer
from alfa_md.rules.hypers import Product, RateAndDecay
from alfa_md.rules.layerwise import Layerwise, entrywise

Generators = Callable[[Template, int], Generator]  # (template, number of outputs)
Scale = Callable[[Template, int, float], Hyperparameter]  # (template, number of steps, initial value)


class Generated(HyperSource):
    """(a, d): the first N outputs of the generator are rates, the last N decays."""

    def __init__(self, template: Template, generator: Generators):
        super().__init__()
        self.generator = generator(template, 2 * len(template))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        lr, decay = self.generator(params, grads).chunk(2)
        return Hypers(Layerwise(params, lr), Layerwise(params, decay)), state

    def factors(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Hypers]:
        return {"generated": self(params, grads, state, step)[0]}


@gin.configurable
class OneMinus(Product):
    """beta = 1 - d B, the form of the authors' code."""


@gin.configurable
class BetaProduct(Product):
    """beta = d B, the form of the paper (equation 7): the decay is 1 - d B."""

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        (lr, beta), state = super().forward(params, grads, state, step)
        return Hypers(lr, entrywise(lambda value: 1 - value, beta)), state


@gin.configurable
def alfa(
    template: Template,
    num_steps: int,
    *,
    inner_rate: float = gin.REQUIRED,
    inner_decay: float = 5e-6,
    generator: Generators = Generator,
    beta_form: type[Product] = OneMinus,
    scale: Scale = PerStepPerLayer,
) -> UpdateRule:
    """ALFA for fast weights named in `template`: generated values times per-step per-layer scales A and B.

    `inner_rate` starts A [S, N], `inner_decay` starts B [S, N] (1.0 under `BetaProduct`); `scale` makes both. All of it
    is meta-learned and unconstrained: generated rates may turn negative, and do.
    """
    learned = scales(template, num_steps, inner_rate, inner_decay, scale)
    return AffineUpdate(beta_form(Generated(template, generator), learned))


@gin.configurable
def alfa_random(
    template: Template,
    num_steps: int,
    *,
    inner_rate: float = gin.REQUIRED,
    inner_decay: float = 5e-6,
    generator: Generators = Generator,
) -> UpdateRule:
    """ALFA from a random initialisation that is never trained: theta' = (1 - P d B) theta - a A grad.

    P, one decay for every parameter, starts at `inner_decay` and takes the place of the learned initialisation;
    B starts at 1. Bind `GradientLearner.initialization = @frozen` too. (Supplement of the paper, and authors' code.)
    """
    prior = RateAndDecay(lr=Constant(1.0), decay=PerParameter(template, inner_decay))
    generated = Product(Generated(template, generator), scales(template, num_steps, inner_rate, 1.0))
    return AffineUpdate(Product(generated, prior))


def scales(
    template: Template, num_steps: int, rate: float, decay: float, scale: Scale = PerStepPerLayer
) -> RateAndDecay:
    """A and B: a meta-learned rate and decay, for every step and layer unless `scale` says otherwise."""
    return RateAndDecay(lr=scale(template, num_steps, rate), decay=scale(template, num_steps, decay))
