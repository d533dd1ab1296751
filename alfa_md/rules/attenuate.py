"""L2F (learning to forget): attenuation of the initialisation per task (Baik et al., CVPR 2020; arXiv 1906.05895)."""

import gin
import torch
from torch import nn

from alfa_md.params import Params, Template, layer_means
from alfa_md.rules.base import State, UpdateRule


@gin.configurable
class Attenuate(UpdateRule):
    """theta_l' = gamma_l theta_l, gamma = sigmoid(V2 relu(V1 e + b1) + b2), e the layer-wise means of the gradients.

    Applied once, before the inner loop. With `differentiable`, meta-gradients flow through e, as in ALFA's code; in
    L2F's own code they do not.
    """

    def __init__(self, template: Template, differentiable: bool = True):
        super().__init__()
        n = len(template)
        self.network = nn.Sequential(nn.Linear(n, n), nn.ReLU(), nn.Linear(n, n))
        self.differentiable = differentiable

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        e = layer_means(grads)
        gamma = torch.sigmoid(self.network(e if self.differentiable else e.detach()))
        return {name: own * theta for own, (name, theta) in zip(gamma, params.items(), strict=True)}, state
