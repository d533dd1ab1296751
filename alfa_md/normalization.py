"""Batch normalisation without running averages: the batch's own moments, or moments handed over.

Meta-Dataset normalises every support forward by that forward's own moments, and the query set by the moments of the
support set under the final fast weights. No layer keeps state between calls: moments are collected and handed over
by the two context managers, which leave every backbone an ordinary images -> features module.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from alfa_md.errors import require_at_least
from alfa_md.kernels.affine import affine
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.order import second_order, stacked
from alfa_md.kernels.precision import uncast
from alfa_md.system.context import set_in_context

Embed = Callable[[Tensor], Tensor]  # images [N, ...] -> features [N, D]
QueryFeatures = Callable[[Embed, Tensor, Tensor], Tensor]  # (embed, support images, query images) -> [Nq, D]
Measured = Callable[[Tensor], tuple[Tensor, Tensor]]  # maps [N, C, H, W] -> mean [C], biased variance [C]
Moments = dict[nn.Module, tuple[Tensor, Tensor]]  # layer -> (mean [C], biased variance [C])

_recorded: ContextVar[Moments | None] = ContextVar("recorded", default=None)
_given: ContextVar[Moments | None] = ContextVar("given", default=None)


class EpisodicBatchNorm(nn.Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, for x [N, C, H, W]; gradients flow through the moments."""

    def __init__(self, num_features: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Tensor) -> Tensor:
        # PyTorch's own is one pass, but slow to be differentiated again, and knows no stacked tasks on a GPU
        if not (handing_over() or second_order() or stacked()):
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return self.normalized(x, *self.moments(x), self.weight)

    def moments(self, x: Tensor, measured: Measured = batch_moments) -> tuple[Tensor, Tensor]:
        """Mean and biased variance [C] that x is normalised by: those handed over, else its own, which are recorded."""
        given, recorded = _given.get(), _recorded.get()
        if given is not None:
            return given[self]
        with uncast(x.device.type):  # maps have fewer digits there than moments need
            own = measured(x.to(self.weight.dtype))
        if recorded is not None:
            recorded[self] = own
        return own

    def normalized(self, x: Tensor, mean: Tensor, var: Tensor, weight: Tensor) -> Tensor:
        """(x - mean) / sqrt(var + eps) * weight + bias."""
        scale = weight * torch.rsqrt(var + self.eps)
        return affine(x, scale, self.bias - mean * scale).to(x.dtype)


def recorded_moments() -> AbstractContextManager[Moments]:
    """Inside, every EpisodicBatchNorm uses its own batch's moments and enters them in the dictionary yielded."""
    return set_in_context(_recorded, {})


def given_moments(moments: Moments) -> AbstractContextManager[Moments]:
    """Inside, every EpisodicBatchNorm normalises by `moments`."""
    return set_in_context(_given, moments)


def handing_over() -> bool:
    """Whether moments are being collected or handed over just now."""
    return _given.get() is not None or _recorded.get() is not None


def embed_episode(embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
    """Features of the support set by its own moments, and of the query set by the support set's moments.

    Query features therefore do not depend on one another, and the query set may be split freely; the support set
    may not.
    """
    with recorded_moments() as moments:
        support = embed(support_x)
    return support, under(moments, embed)(query_x)


def under(moments: Moments, embed: Embed) -> Embed:
    """`embed` normalised by `moments`, whenever and in whatever thread it is called."""

    def features(images: Tensor) -> Tensor:
        with given_moments(moments):
            return embed(images)

    return features


@gin.configurable
def support_moments(query_portion: int | None = None) -> QueryFeatures:
    """Query features [Nq, D] normalised by the support set's moments: Meta-Dataset's protocol, inductive.

    `query_portion` is how many query images go through the backbone at once, None for all. The features are the same;
    memory is that of the support set and one portion, for which training computes every portion a second time.
    """
    if query_portion is None:
        return lambda embed, support_x, query_x: embed_episode(embed, support_x, query_x)[1]
    require_at_least(1, "support_moments", query_portion=query_portion)
    return QueryPortions(query_portion)


class QueryPortions(NamedTuple):
    """The query features of `embed_episode`, `size` images at a time; no more than one portion's graph is alive."""

    size: int

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> Tensor:
        with recorded_moments() as moments:
            embed(support_x)
        features = under(moments, embed)
        if torch.is_grad_enabled():
            features = partial(checkpoint, features, use_reentrant=False)
        return torch.cat([features(portion) for portion in query_x.split(self.size)])


@gin.configurable
def batch_statistics() -> QueryFeatures:
    """Query features [Nq, D] normalised by their own moments together, never split: MAML's protocol, transductive."""
    return lambda embed, support_x, query_x: embed(query_x)
