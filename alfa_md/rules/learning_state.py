"""ALFA's learning state tau, the input of the generator: layer-wise means of weights and gradients."""

from collections.abc import Sequence

import gin
import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template, layer_means

PARTS = ("weights", "gradients")


@gin.configurable
class LearningState(nn.Module):
    """tau [2N]: the mean of every weight tensor, then the mean of every gradient tensor, not normalised.

    `parts` selects weights, gradients or both (the paper's Table 5). No meta-gradient flows through parts in
    `detached`: the gradients in the authors' code, none in later code of theirs.
    """

    def __init__(self, template: Template, parts: Sequence[str] = PARTS, detached: Sequence[str] = ("gradients",)):
        super().__init__()
        if not parts or not {*parts, *detached} <= {*PARTS}:
            raise UserError(f"LearningState.parts = {parts!r}, detached = {detached!r}: choose among {PARTS}")
        self.parts, self.detached = tuple(parts), frozenset(detached)
        self.size = len(self.parts) * len(template)

    def forward(self, params: Params, grads: Params) -> Tensor:
        means = {"weights": params, "gradients": grads}
        return torch.cat([self._part(name, means[name]) for name in self.parts])

    def _part(self, name: str, tensors: Params) -> Tensor:
        means = layer_means(tensors)
        return means.detach() if name in self.detached else means
