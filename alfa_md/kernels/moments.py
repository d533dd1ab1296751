"""The moments that a batch is normalised by, with few passes over the maps in gradients of every order."""

import torch
from torch import Tensor

from alfa_md.kernels.affine import affine
from alfa_md.kernels.function import Function


def batch_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance [C] of maps [N, C, H, W]."""
    return Moments.apply(x)


class Moments(Function):
    """dx = (dmean + 2 dvar (x - mean)) / n, one scale and one shift a channel; n values are in a channel."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        if x.is_cuda:  # one pass, which processors are slow at
            return torch.var_mean(x, (0, 2, 3), correction=0)[::-1]
        mean = x.mean((0, 2, 3))
        return mean, (x - mean[:, None, None]).square().mean((0, 2, 3))

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs, output[0])

    @staticmethod
    def backward(ctx, dmean: Tensor, dvar: Tensor) -> Tensor:
        x, mean = ctx.saved_tensors
        n = x.numel() / x.shape[1]
        scale = dvar * (2 / n)
        return affine(x, scale, dmean / n - scale * mean)
