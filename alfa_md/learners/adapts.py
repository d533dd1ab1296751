"""Predicates that select the tensors adapted in the inner loop, for `GradientLearner.adapts`.

Each takes the name of a tensor, such as `backbone.layers.0.weight` or `head.bias`, and the module that owns it.
"""

import re
from collections.abc import Callable

import gin
from torch import nn

from alfa_md.errors import UserError
from alfa_md.normalization import EpisodicBatchNorm

Adapts = Callable[[str, nn.Module], bool]
HEAD = "head."


@gin.configurable
def everything(name: str, owner: nn.Module) -> bool:
    """Backbone and head, as in MAML and in Meta-Dataset's published runs."""
    return True


@gin.configurable
def all_but_batch_norm(name: str, owner: nn.Module) -> bool:
    """All but the scales and offsets of batch normalisation, as in MAML++ and in ALFA's image benchmarks."""
    return not isinstance(owner, EpisodicBatchNorm | nn.modules.batchnorm._BatchNorm)


@gin.configurable
def head_only(name: str, owner: nn.Module) -> bool:
    """The head alone: ANIL (Raghu, Raghu, Bengio, Vinyals, ICLR 2020)."""
    return name.startswith(HEAD)


@gin.configurable
def body_only(name: str, owner: nn.Module) -> bool:
    """The backbone alone: BOIL (Oh, Yoo, Kim, Yun, ICLR 2021)."""
    return not name.startswith(HEAD)


@gin.configurable
def norms_only(name: str, owner: nn.Module) -> bool:
    """The head, and the scales and offsets of normalisations: LayerNorm, batch norm, and what else is called a norm."""
    # by the name of the class, as libraries bring their own: LlamaRMSNorm is none of PyTorch's
    return name.startswith(HEAD) or "norm" in type(owner).__name__.lower()


@gin.configurable
class matching:  # noqa: N801  named as in gin files
    """The tensors whose name matches a regular expression anywhere, such as 'layer4|^head'."""

    def __init__(self, pattern: str = gin.REQUIRED):
        self.pattern = regular_expression("matching.pattern", pattern)
        self.__name__ = f"matching {pattern!r}"

    def __call__(self, name: str, owner: nn.Module) -> bool:
        return self.pattern.search(name) is not None


def regular_expression(parameter: str, pattern: str) -> re.Pattern:
    """The compiled pattern. Raises UserError naming the parameter if it is no regular expression."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UserError(f"{parameter} = {pattern!r} is no regular expression ({error}); correct it") from error
