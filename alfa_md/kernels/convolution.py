"""A 2-D convolution whose gradients of every order are plain convolutions.

A convolution y = C(x, w) is linear in x and in w, and so are the two gradients of it:

    dx = I(dy, w)        dw = W(dy, x)

Each of the three is differentiated into the other two: of I by dy with C, by w with W; of W by dy with C, by x with I.
PyTorch's own gradient of a gradient is the same in other words, which its CPU kernels are slow at: images and channels
change places, and the kernel becomes as large as the map. In first order its own are used: they share some work.
Stacked tasks, each with a kernel of its own, would be one grouped convolution to PyTorch, which libraries are slow at.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.kernels.dispatch import in_double_backward, in_stacked_tasks
from alfa_md.kernels.precision import cast_to
from alfa_md.kernels.task_by_task import TaskByTask

Pair = tuple[int, int]
UNDILATED, UNGROUPED = [1, 1], 1


class Convolution(nn.Conv2d):
    """`nn.Conv2d` without dilation and groups, and zero padded: the same numbers, faster in second order."""

    def forward(self, x: Tensor) -> Tensor:
        return convolution(x, self.weight, self.bias, self.stride, self.padding)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair) -> Tensor:
    """Maps [N, D, H', W'] of x [N, C, H, W] under a kernel [D, C, h, w] and a bias [D]; see F.conv2d."""
    if not (in_double_backward() or in_stacked_tasks()):
        return F.conv2d(x, weight, bias, stride, padding)
    dtype = cast_to(x.device.type)  # autocast itself does not reach what a Function saves
    if dtype is not None:
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    return Convolve.apply(x, weight, bias, stride, padding)


class Convolve(TaskByTask):
    """C(x, w) + b."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair) -> Tensor:
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        x, weight, _, *ctx.geometry = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx, dy: Tensor) -> tuple:
        (x, weight), (for_x, for_weight, for_bias, *_) = ctx.saved_tensors, ctx.needs_input_grad
        dx = InputGradient.apply(dy, weight, x.shape, *ctx.geometry) if for_x else None
        own = KernelGradient.apply(dy, x, weight.shape, *ctx.geometry, for_bias) if for_weight or for_bias else ()
        dw, db = (*own, None, None)[:2]
        return dx, dw, db, None, None


class InputGradient(TaskByTask):
    """I(dy, w), of the shape of x."""

    @staticmethod
    def forward(dy: Tensor, weight: Tensor, shape: torch.Size, stride: Pair, padding: Pair) -> Tensor:
        return gradients(dy, dy.new_empty(1).expand(shape), weight, stride, padding, (True, False, False))[0]

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        dy, weight, _, *ctx.geometry = inputs
        ctx.save_for_backward(dy, weight)

    @staticmethod
    def backward(ctx, h: Tensor) -> tuple:
        dy, weight = ctx.saved_tensors
        by_dy = Convolve.apply(h, weight, None, *ctx.geometry) if ctx.needs_input_grad[0] else None
        by_weight = None
        if ctx.needs_input_grad[1]:
            (by_weight,) = KernelGradient.apply(dy, h, weight.shape, *ctx.geometry, False)
        return by_dy, by_weight, None, None, None


class KernelGradient(TaskByTask):
    """W(dy, x), of the shape of w; behind it, if that is wanted, the bias's: the sum of dy over images and pixels."""

    @staticmethod
    def forward(
        dy: Tensor, x: Tensor, shape: torch.Size, stride: Pair, padding: Pair, biased: bool
    ) -> tuple[Tensor, ...]:
        own = gradients(dy, x, dy.new_empty(1).expand(shape), stride, padding, (False, True, biased))
        return own[1:] if biased else own[1:2]

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        dy, x, _, *ctx.geometry, _ = inputs
        ctx.save_for_backward(dy, x)

    @staticmethod
    def backward(ctx, h: Tensor, h_bias: Tensor | None = None) -> tuple:
        dy, x = ctx.saved_tensors
        by_dy = Convolve.apply(x, h, h_bias, *ctx.geometry) if ctx.needs_input_grad[0] else None
        by_x = InputGradient.apply(dy, h, x.shape, *ctx.geometry) if ctx.needs_input_grad[1] else None
        return by_dy, by_x, None, None, None, None


def gradients(dy: Tensor, x: Tensor, weight: Tensor, stride: Pair, padding: Pair, wanted: tuple) -> tuple:
    """Those of x, weight and bias that are wanted, else None."""
    bias_sizes = [dy.shape[1]] if wanted[2] else None
    settings = (list(stride), list(padding), UNDILATED, False, [0, 0], UNGROUPED)
    return torch.ops.aten.convolution_backward(dy, x, weight, bias_sizes, *settings, list(wanted))
