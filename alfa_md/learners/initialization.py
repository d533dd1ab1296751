"""Learned or frozen initialisation of backbone and head, for `GradientLearner.initialization`."""

import gin
from torch import nn


@gin.configurable
def learned(*modules: nn.Module) -> None:
    """Backbone and head are meta-learned, as in MAML."""


@gin.configurable
def frozen(*modules: nn.Module) -> None:
    """Backbone and head keep their random initialisation; only the rule is meta-learned."""
    for module in modules:
        module.requires_grad_(False)
