"""The learning state tau: what ALFA's generator sees of a task at an inner step."""

from collections.abc import Sequence

import gin
import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.params import Params, Template, layer_means

PARTS = ("weights", "gradients")


@gin.configurable
class LearningState(nn.Module):
    """tau = [means of the weights, then means of the gradients] [2N], one mean a tensor, raw.

    `parts` leaves one of the two out (the paper's Table 5). No meta-gradient flows through the parts that are
    `detached`: in the authors' code the gradients; in later code of theirs none; both, () and PARTS, are at hand.
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
