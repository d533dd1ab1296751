"""The moments of what a convolution gives, in closed form: without looking at what it gives.

A convolution takes the inner product of its kernel w_c with every patch p of the images, so over all patches

    mean_c = w_c . E[p]        var_c = w_c' Cov[p] w_c

E[p] and Cov[p] do not depend on the kernel. Where the images are given and not learned, as those of a network's first
layer, they are counted once a task, and no inner step, nor any gradient, passes over the maps for their moments.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from alfa_md.kernels.convolution import Pair

Counted = tuple[Tensor, Tensor]  # E[p] [K], Cov[p] [K, K]

_counted = WeakTensorKeyDictionary()  # images -> what was counted, and under which geometry; gone with the images


def pays(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether the closed form holds and is less work: images that are given, patches shorter than maps are many."""
    return not x.requires_grad and conv.weight[0].numel() < conv.out_channels


def convolved_moments(x: Tensor, weight: Tensor, padding: Pair) -> tuple[Tensor, Tensor]:
    """Mean and biased variance [D] of x [N, C, H, W] convolved with stride 1 and no bias; no gradient flows to x."""
    mean, covariance = patch_moments(x, weight.shape[2:], padding)
    kernels = weight.flatten(1)
    return kernels @ mean, ((kernels @ covariance) * kernels).sum(1)


def patch_moments(x: Tensor, size: torch.Size, padding: Pair) -> Counted:
    """Mean [K] and biased covariance [K, K] of all patches of x, K = C * h * w; kept as long as x is there."""
    geometry = (size, padding, x._version)
    kept = _counted.get(x)
    if kept is None or kept[0] != geometry:
        kept = _counted[x] = (geometry, counted(x, size, padding))
    return kept[1]


@torch.no_grad()
def counted(x: Tensor, size: torch.Size, padding: Pair) -> Counted:
    (h, w), (above, beside) = size, padding
    windows = F.pad(x, (beside, beside, above, above)).unfold(2, h, 1).unfold(3, w, 1)  # [N, C, H, W, h, w]
    patches = windows.permute(0, 1, 4, 5, 2, 3).flatten(1, 3).flatten(2)  # [N, K, H * W]
    mean = patches.mean((0, 2))
    patches = patches - mean[:, None]
    return mean, (patches @ patches.mT).sum(0) / (patches.shape[0] * patches.shape[2])
