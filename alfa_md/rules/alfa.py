"""ALFA: Meta-Learning with Adaptive Hyperparameters (Baik, Choi, Choi, Kim, Lee; NeurIPS 2020; arXiv 2011.00209).

At every inner step i a small network g_phi maps the learning state tau, the layer-wise means of the fast weights and
of their support gradients, to a learning rate and a weight decay for every layer:

    (a, d)       = g_phi(tau_i)
    theta_{i+1}  = beta_i theta_i - a A_i grad_i,   beta_i = 1 - d B_i          (layer-wise products)

with A and B meta-learned per step and layer. This is the form of the authors' code; their paper has beta_i = d B_i,
for which B is initialised with 1.
"""

from collections.abc import Callable

from alfa_md.params import Params, Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hyperparameter, Hypers, HyperSource, State, UpdateRule
from alfa_md.rules.generator import Generator, StateNetwork
from alfa_md.rules.granularities import Constant, PerParameter, PerStepPerLayer
from alfa_md.rules.hypers import Product, RateAndDecay
from alfa_md.rules.layerwise import Layerwise, entrywise
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative

Generators = Callable[[Template, int], StateNetwork]  # (template, number of outputs)
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
    inner_rate: NonNegative = gin.REQUIRED,
    inner_decay: NonNegative = 5e-6,
    generator: Generators = Generator,
    beta_form: type[Product] = OneMinus,
    scale: Scale = PerStepPerLayer,
) -> UpdateRule:
    """ALFA: generated values times per-step per-layer scales A and B.

    `inner_rate` initialises A [S, N], `inner_decay` B [S, N] (1.0 with `BetaProduct`); `scale` is the factory of both.
    All are meta-learned and unconstrained: generated rates may become negative, and do.
    """
    learned = scales(template, num_steps, inner_rate, inner_decay, scale)
    return AffineUpdate(beta_form(Generated(template, generator), learned))


@gin.configurable
def alfa_random(
    template: Template,
    num_steps: int,
    *,
    inner_rate: NonNegative = gin.REQUIRED,
    inner_decay: NonNegative = 5e-6,
    generator: Generators = Generator,
) -> UpdateRule:
    """ALFA from a frozen random initialisation: theta' = (1 - P d B) theta - a A grad.

    P, a learned decay per parameter, replaces the learned initialisation; it is initialised with `inner_decay`, B
    with 1. Also bind `GradientLearner.initialization = @frozen`. (Supplement of the paper, and the authors' code.)
    """
    prior = RateAndDecay(lr=Constant(1.0), decay=PerParameter(template, inner_decay))
    generated = Product(Generated(template, generator), scales(template, num_steps, inner_rate, 1.0))
    return AffineUpdate(Product(generated, prior))


def scales(
    template: Template, num_steps: int, rate: float, decay: float, scale: Scale = PerStepPerLayer
) -> RateAndDecay:
    """A and B: meta-learned rates and decays, by default per step and layer."""
    return RateAndDecay(lr=scale(template, num_steps, rate), decay=scale(template, num_steps, decay))
