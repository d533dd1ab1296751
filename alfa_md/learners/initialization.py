"""Learned or frozen initialisation of backbone and head, for `GradientLearner.initialization`."""

from collections.abc import Callable

import gin
from torch import Tensor, nn

from alfa_md.params import Template

Initialization = Callable[[nn.Module, nn.Module, Template], None]  # (backbone, head, the weights that are adapted)


@gin.configurable
def learned(backbone: nn.Module, head: nn.Module, adapted: Template) -> None:
    """Backbone and head are meta-learned, as in MAML."""


@gin.configurable
def frozen(backbone: nn.Module, head: nn.Module, adapted: Template) -> None:
    """Backbone and head keep their random initialisation; only the rule is meta-learned."""
    for tensor in (*backbone.parameters(), *head.parameters(), *tensors(adapted)):
        tensor.requires_grad_(False)


@gin.configurable
def learned_if_adapted(backbone: nn.Module, head: nn.Module, adapted: Template) -> None:
    """Weights that the inner loop adapts are meta-learned; all others keep their initial values, pretrained or not."""
    frozen(backbone, head, adapted)
    for tensor in tensors(adapted):
        tensor.requires_grad_()


def tensors(adapted: Template) -> list[Tensor]:
    """The tensors of a template; a head made per episode has none."""
    return [tensor for tensor in adapted.values() if isinstance(tensor, Tensor)]
