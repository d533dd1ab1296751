"""Batch moments of a convolution's output in closed form, from the moments of its input patches.

A convolution takes the inner product of its weight w_c with every patch p of its input, so over all patches

    mean_c = w_c . E[p]        var_c = w_c' Cov[p] w_c

E[p] and Cov[p] do not depend on the weight. Where the input needs no gradient, as in the first layer of a network, they
are computed once per task, and neither inner steps nor gradients pass over the feature maps for their moments.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from alfa_md.kernels.convolution import IntPair

PatchMoments = tuple[Tensor, Tensor]  # E[p] [K], Cov[p] [K, K]

_cache = WeakTensorKeyDictionary()  # images (weakly) -> (geometry, patch moments)


def closed_form_is_cheaper(conv: nn.Conv2d, x: Tensor) -> bool:
    """True if x needs no gradient and a patch has fewer entries than the convolution has output channels."""
    return not x.requires_grad and conv.weight[0].numel() < conv.out_channels


def convolved_moments(x: Tensor, weight: Tensor, padding: IntPair) -> tuple[Tensor, Tensor]:
    """Mean and biased variance [D] of the convolution of x [N, C, H, W] with stride 1 and no bias.

    No gradient flows to x.
    """
    mean, covariance = patch_moments(x, weight.shape[2:], padding)
    rows = weight.flatten(1)  # [D, K]
    return rows @ mean, ((rows @ covariance) * rows).sum(1)


def patch_moments(x: Tensor, size: torch.Size, padding: IntPair) -> PatchMoments:
    """Mean [K] and biased covariance [K, K] of all patches of x, K = C * h * w; cached until x is freed or changed."""
    geometry = (size, padding, x._version)
    cached = _cache.get(x)
    if cached is None or cached[0] != geometry:
        cached = _cache[x] = (geometry, compute_patch_moments(x, size, padding))
    return cached[1]


@torch.no_grad()
def compute_patch_moments(x: Tensor, size: torch.Size, padding: IntPair) -> PatchMoments:
    """`patch_moments` without the cache."""
    (h, w), (rows, columns) = size, padding
    windows = F.pad(x, (columns, columns, rows, rows)).unfold(2, h, 1).unfold(3, w, 1)  # [N, C, H, W, h, w]
    patches = windows.permute(0, 1, 4, 5, 2, 3).flatten(1, 3).flatten(2)  # [N, K, H * W]
    mean = patches.mean((0, 2))
    patches = patches - mean[:, None]
    return mean, (patches @ patches.mT).sum(0) / (patches.shape[0] * patches.shape[2])
