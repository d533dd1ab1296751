"""Batch normalisation without running averages: by moments of the batch itself, or by given moments.

Meta-Dataset normalises every forward pass of the support set by its own moments, and the query set by the moments of
the support set under the final fast weights. Layers keep no state between calls: context managers collect and provide
moments, so that backbones are ordinary images -> features modules.
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
from alfa_md.kernels.precision import without_autocast
from alfa_md.system.context import set_in_context
from alfa_md.values import Count

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
        # PyTorch's takes one pass, but is slow in double backward and does not support vmap on GPUs
        if not (explicit_moments() or in_double_backward() or in_stacked_tasks()):
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return self.normalize(x, *self.moments(x), self.weight)

    def moments(self, x: Tensor, moments_of: Callable[[Tensor], Moments] = batch_moments) -> Moments:
        """The moments to normalise x by: given ones, else its own, which are also collected in `collected_moments`."""
        given, collected = _given.get(), _collected.get()
        if given is not None:
            return given[self]
        with without_autocast(x.device.type):  # moments need float32
            own = moments_of(x.to(self.weight.dtype))
        if collected is not None:
            collected[self] = own
        return own

    def normalize(self, x: Tensor, mean: Tensor, var: Tensor, weight: Tensor) -> Tensor:
        """(x - mean) / sqrt(var + eps) * weight + bias."""
        scale = weight * torch.rsqrt(var + self.eps)
        return affine(x, scale, self.bias - mean * scale).to(x.dtype)


def collected_moments() -> AbstractContextManager[LayerMoments]:
    """Inside, every EpisodicBatchNorm uses its batch's own moments and stores them in the yielded dictionary."""
    return set_in_context(_collected, {})


def given_moments(moments: LayerMoments) -> AbstractContextManager[LayerMoments]:
    """Inside, every EpisodicBatchNorm normalises by `moments`."""
    return set_in_context(_given, moments)


def explicit_moments() -> bool:
    """True inside `collected_moments` or `given_moments`."""
    return _given.get() is not None or _collected.get() is not None


class ConstantMoments(dict):
    """LayerMoments without gradients."""


@gin.configurable
def differentiable_moments(moments: LayerMoments) -> LayerMoments:
    """Support moments as the query set is normalised by: with their gradients, as in Meta-Dataset's published runs."""
    return moments


@gin.configurable
def constant_moments(moments: LayerMoments) -> LayerMoments:
    """Support moments without gradients: `backprop_through_moments = False` of Meta-Dataset's learners.

    Normalising the support set by its own moments remains differentiable, in inner steps and prototypes.
    """
    return ConstantMoments({layer: (mean.detach(), var.detach()) for layer, (mean, var) in moments.items()})


HandOver = Callable[[LayerMoments], LayerMoments]  # moments of the support set -> those to normalise the query set by


def given_moments_are_constant() -> bool:
    """True inside `given_moments` of constants, under which the bias of a convolution before a layer has a gradient."""
    return isinstance(_given.get(), ConstantMoments)


def embed_episode(
    embed: Embed, support_x: Tensor, query_x: Tensor, hand_over: HandOver = differentiable_moments
) -> tuple[Tensor, Tensor]:
    """(support features, query features), both normalised by the moments of the support set.

    Query features do not depend on other query images, so the query set may be split.
    """
    support, embed_query = embed_support(embed, support_x, hand_over)
    return support, embed_query(query_x)


def embed_support(
    embed: Embed, support_x: Tensor, hand_over: HandOver = differentiable_moments
) -> tuple[Tensor, Embed]:
    """(support features, `embed` for query images), both normalised by the moments of the support set.

    Further query images take no further pass over the support set.
    """
    with collected_moments() as moments:
        support = embed(support_x)
    return support, normalized_by(hand_over(moments), embed)


def normalized_by(moments: LayerMoments, embed: Embed) -> Embed:
    """`embed` under given moments; may be called in any thread."""

    def features(images: Tensor) -> Tensor:
        with given_moments(moments):
            return embed(images)

    return features


class Normalization(Protocol):
    """A normalisation protocol: computes support and query features of an episode."""

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
        """(support features [Ns, D], query features [Nq, D])."""

    def query(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> Tensor:
        """Query features [Nq, D] alone."""


class SupportMoments(NamedTuple):
    """See `support_moments`; with a query portion, the graph of at most one portion is kept."""

    query_portion: int | None
    moments: HandOver

    def __call__(self, embed: Embed, support_x: Tensor, query_x: Tensor) -> tuple[Tensor, Tensor]:
        if self.query_portion is None:
            return embed_episode(embed, support_x, query_x, self.moments)
        support, features = embed_support(embed, support_x, self.moments)
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
def support_moments(query_portion: Count | None = None, moments: HandOver = differentiable_moments) -> Normalization:
    """Meta-Dataset's protocol, inductive: the query set is normalised by the support set's moments.

    `query_portion` is the number of query images in one forward pass, None for all. The features are the same; memory
    is that of the support set and one portion, and training recomputes every portion in the backward pass. `moments`
    are `differentiable_moments` or `constant_moments`.
    """
    if query_portion is not None:
        require_at_least(1, "support_moments", query_portion=query_portion)
    return SupportMoments(query_portion, moments)


@gin.configurable
def batch_statistics() -> Normalization:
    """MAML's protocol, transductive: the query set is normalised by its own moments and never split."""
    return BatchStatistics()


def moments_stamp(normalization: Normalization) -> dict[str, str]:
    """The part of a learner's stamp about support moments that are handed over in another form than by default."""
    chosen = getattr(normalization, "moments", differentiable_moments)
    name = getattr(chosen, "__name__", type(chosen).__name__)
    return {} if chosen is differentiable_moments else {"moments": name}


def protocol_stamp(layers: str, protocol: str, normalization: Normalization) -> dict[str, str]:
    """The part of a learner's stamp about the moments of its batch normalisation `layers`, which may be "none"."""
    name = layers if layers == "none" else protocol.replace("_", " ")
    return {"batch_norm": name} | moments_stamp(normalization)
