"""Maps scaled and shifted channel by channel, whose gradients of every order pass over the maps no more than they must.

PyTorch's `addcmul` is the same in one pass; its gradients multiply by the factor 1 that it can have before a product.
"""

from torch import Tensor, addcmul

from alfa_md.kernels.function import Function


def affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """x [N, C, H, W] * scale [C] + shift [C], in the precision of the latter two."""
    return Affine.apply(x, scale, shift)


class Affine(Function):
    """dx = dy scale, dscale = sum of dy x, dshift = sum of dy: sums over images and pixels."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return addcmul(shift[:, None, None], x, scale[:, None, None])

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx, dy: Tensor) -> tuple:
        (x, scale), (for_x, for_scale, for_shift) = ctx.saved_tensors, ctx.needs_input_grad
        dx = (dy * scale[:, None, None]).to(x.dtype) if for_x else None
        dscale = (dy * x).sum((0, 2, 3)) if for_scale else None
        return dx, dscale, dy.sum((0, 2, 3)) if for_shift else None
