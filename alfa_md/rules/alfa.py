"""ALFA: Meta-Learning with Adaptive Hyperparameters (Baik, Choi, Choi, Kim, Lee; NeurIPS 2020; arXiv 2011.00209).

At every inner step i a small network g_phi reads the learning state tau, the layer-wise means of the fast weights and
of their support gradients, and generates a rate and a decay for every layer:

    (a, d)       = g_phi(tau_i)
    theta_{i+1}  = (1 - d B_i) theta_i - a A_i grad_i          (product taken layer by layer)

with A and B meta-learned for every step and layer. This is the form of the authors' code; their paper writes the
factor of theta as a product beta0 * beta1.
"""

from collections.abc import Callable

import gin
import torch
from torch import Tensor, nn

from alfa_md.params import Params, Template, layer_means
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hypers, HyperSource, UpdateRule
from alfa_md.rules.hypers import PerStepPerLayer, Product


def learning_state(params: Params, grads: Params) -> Tensor:
    """tau = [means of the weights, then means of the gradients] [2N]; the gradients' part is detached."""
    return torch.cat([layer_means(params), layer_means(grads).detach()])


@gin.configurable
def identity_init(last: nn.Linear) -> None:
    """The generator starts by emitting 1 for everything: with B = 0 the first step is the base learner's own."""
    nn.init.zeros_(last.weight)
    nn.init.ones_(last.bias)


@gin.configurable
def reference_init(last: nn.Linear) -> None:
    """The generator keeps PyTorch's default initialisation of linear layers, as the authors' code does."""


class Generated(HyperSource):
    """g_phi: two linear layers of width 2N with one rectifier; first N outputs are rates, last N decays, raw."""

    def __init__(self, template: Template, initialize: Callable[[nn.Linear], None]):
        super().__init__()
        width = 2 * len(template)
        self.network = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        initialize(self.network[-1])

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        lr, decay = self.network(learning_state(params, grads)).chunk(2)
        return Hypers(
            dict(zip(params, lr.unbind(), strict=True)),
            dict(zip(params, decay.unbind(), strict=True)),
        )


@gin.configurable
def alfa(
    template: Template,
    num_steps: int,
    *,
    inner_rate: float = gin.REQUIRED,
    inner_decay: float = 5e-6,
    initialize: Callable[[nn.Linear], None] = identity_init,
) -> UpdateRule:
    """ALFA for fast weights named in `template`: generated values times per-step per-layer scales A and B.

    `inner_rate` starts A [S, N], `inner_decay` starts B [S, N]. All of it is meta-learned and unconstrained:
    generated rates may turn negative, and do.
    """
    scales = PerStepPerLayer(template, num_steps, lr=inner_rate, decay=inner_decay)
    return AffineUpdate(Product(Generated(template, initialize), scales))
