"""Batch normalisation without running averages: by the batch's own moments, or by given ones.

Meta-Dataset normalises every support forward by that forward's own moments, and the query set by the moments of the
support set under the final fast weights. No layer keeps state between calls: two context managers collect moments and
give them, which leaves every backbone an ordinary images -> features module.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple, Protocol

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from alfa_md.errors import require_at_least
from alfa_md.kernels.affine import affine
from alfa_md.kernels.dispatch import in_double_backward, in_stacked_tasks
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.precision import uncast
from alfa_md.system.context import set_in_context

Embed = Callable[[Tensor], Tensor]  # images [N, ...] -> features [N, D]
Moments = tuple[Tensor, Tensor]  # mean [C], biased variance [C]
LayerMoments = dict[nn.Module, Moments]

_collected: ContextVar[LayerMoments | None] = ContextVar("collected", default=None)
_given: ContextVar[LayerMoments | None] = ContextVar("given", default=None)


class EpisodicBatchNorm(nn.Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, for x [N, C, H, W]; gradients flow through the moments."""

    def __init__(self, num_features: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Tensor) -> Tensor:
        # PyTorch's own is one pass, but slow to be differentiated again, and knows no stacked tasks on a GPU
        if not (explicit_moments() or in_double_backward() or in_stacked_tasks()):
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return self.normalized(x, *self.moments(x), self.weight)

    def moments(self, x: Tensor, moments_of: Callable[[Tensor], Moments] = batch_moments) -> Moments:
        """The moments that x is normalised by: given ones, else its own, which are collected where asked for."""
        given, collected = _given.get(), _collected.get()
        if given is not None:
            return given[self]
        with uncast(x.device.type):  # feature maps have fewer digits there than moments need
            own = moments_of(x.to(self.weight.dtype))
        if collected is not None:
            collected[self] = own
        return own

    def normalized(self, x: Tensor, mean: Tensor, var: Tensor, weight: Tensor) -> Tensor:
        """(x - mean) / sqrt(var + eps) * weight + bias."""
        scale = weight * torch.rsqrt(var + self.eps)
        return affine(x, scale, self.bias - mean * scale).to(x.dtype)


def collected_moments() -> AbstractContextManager[LayerMoments]:
    """Inside, every EpisodicBatchNorm uses its batch's own moments and enters them in the dictionary yielded."""
    return set_in_context(_collected, {})


def given_moments(moments: LayerMoments) -> AbstractContextManager[LayerMoments]:
    """Inside, every EpisodicBatchNorm normalises by `moments`."""
    return set_in_context(_given, moments)


def explicit_moments() -> bool:
    """True while moments are being collected or given."""
    return _given.get() is not None or _collected.get() is not None


def embed_episode(embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
    """Features of the support set by its own moments, and of the query set by the support set's moments.

    Query features therefore do not depend on one another, and the query set may be split; the support set may not.
    """
    with collected_moments() as moments:
        support = embed(support_x)
    return support, normalized_by(moments, embed)(query_x)


def normalized_by(moments: LayerMoments, embed: Embed) -> Embed:
    """`embed` under given moments, in any thread and at any time."""

    def features(images: Tensor) -> Tensor:
        with given_moments(moments):
            return embed(images)

    return features


class Normalization(Protocol):
    """A protocol of batch normalisation in an episode: support and query features."""

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the support set [Ns, D] and of the query set [Nq, D]."""

    def query(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> Tensor:
        """Those of the query set alone."""


class SupportMoments(NamedTuple):
    """See `support_moments`; with a query portion no more than one portion's graph is alive."""

    query_portion: int | None

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
        if self.query_portion is None:
            return embed_episode(embed, support_x, query_x)
        with collected_moments() as moments:
            support = embed(support_x)
        features = normalized_by(moments, embed)
        if torch.is_grad_enabled():
            features = partial(checkpoint, features, use_reentrant=False)
        return support, torch.cat([features(portion) for portion in query_x.split(self.query_portion)])

    def query(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> Tensor:
        return self(embed, support_x, query_x)[1]


class BatchStatistics(NamedTuple):
    """See `batch_statistics`."""

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
        return embed(support_x), embed(query_x)

    def query(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> Tensor:
        return embed(query_x)


@gin.configurable
def support_moments(query_portion: int | None = None) -> Normalization:
    """The query set normalised by the support set's moments: Meta-Dataset's protocol, inductive.

    `query_portion` is how many query images go through the backbone at once, None for all. The features are the same;
    memory is that of the support set and one portion, for which training computes every portion a second time.
    """
    if query_portion is not None:
        require_at_least(1, "support_moments", query_portion=query_portion)
    return SupportMoments(query_portion)


@gin.configurable
def batch_statistics() -> Normalization:
    """The query set normalised by its own moments together, never split: MAML's protocol, transductive."""
    return BatchStatistics()
