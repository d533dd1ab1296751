"""2-D convolution whose gradients of every order are plain convolutions, for double backward and stacked tasks.

A convolution y = C(x, w) is linear in x and in w, and so are its two gradients:

    dx = I(dy, w)        dw = W(dy, x)

The gradients of each of the three are the other two: of I, C for dy and W for w; of W, C for dy and I for x.
PyTorch's double backward computes the same, but transposes images and channels and convolves with weights as large as
the feature map, which is slow on CPUs. In first order PyTorch's own backward is used: it shares work between dx and dw.
Under vmap PyTorch turns stacked tasks with a weight each into one grouped convolution, which libraries are slow at.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.kernels.dispatch import in_double_backward, in_stacked_tasks
from alfa_md.kernels.precision import autocast_dtype
from alfa_md.kernels.sequential_vmap import SequentialVmap

IntPair = tuple[int, int]
UNDILATED, UNGROUPED = [1, 1], 1


class Convolution(nn.Conv2d):
    """`nn.Conv2d` with zero padding and without dilation and groups: the same numbers, faster in second order."""

    def forward(self, x: Tensor) -> Tensor:
        return convolution(x, self.weight, self.bias, self.stride, self.padding)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, stride: IntPair, padding: IntPair) -> Tensor:
    """Feature maps [N, D, H', W'] of x [N, C, H, W], weight [D, C, h, w] and bias [D]; see F.conv2d."""
    if not (in_double_backward() or in_stacked_tasks()):
        return F.conv2d(x, weight, bias, stride, padding)
    dtype = autocast_dtype(x.device.type)  # autocast does not cast the tensors that a Function saves
    if dtype is not None:
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    return ConvolutionFunction.apply(x, weight, bias, stride, padding)


class ConvolutionFunction(SequentialVmap):
    """C(x, w) + b, differentiated by `InputGradient` and `WeightGradient`."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: IntPair, padding: IntPair) -> Tensor:
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        x, weight, _, *ctx.geometry = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx, dy: Tensor) -> tuple:
        (x, weight), (for_x, for_weight, for_bias, *_) = ctx.saved_tensors, ctx.needs_input_grad
        dx = InputGradient.apply(dy, weight, x.shape, *ctx.geometry) if for_x else None
        found = WeightGradient.apply(dy, x, weight.shape, *ctx.geometry, for_bias) if for_weight or for_bias else ()
        dw, db = (*found, None, None)[:2]
        return dx, dw, db, None, None


class InputGradient(SequentialVmap):
    """I(dy, w), of the shape of x."""

    @staticmethod
    def forward(dy: Tensor, weight: Tensor, shape: torch.Size, stride: IntPair, padding: IntPair) -> Tensor:
        x = dy.new_empty(1).expand(shape)  # only its shape is used
        return convolution_gradients(dy, x, weight, stride, padding, (True, False, False))[0]

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        dy, weight, _, *ctx.geometry = inputs
        ctx.save_for_backward(dy, weight)

    @staticmethod
    def backward(ctx, h: Tensor) -> tuple:
        dy, weight = ctx.saved_tensors
        by_dy = ConvolutionFunction.apply(h, weight, None, *ctx.geometry) if ctx.needs_input_grad[0] else None
        by_weight = None
        if ctx.needs_input_grad[1]:
            (by_weight,) = WeightGradient.apply(dy, h, weight.shape, *ctx.geometry, False)
        return by_dy, by_weight, None, None, None


class WeightGradient(SequentialVmap):
    """(W(dy, x),) of the shape of w; if `biased`, also the bias gradient, the sum of dy over images and pixels."""

    @staticmethod
    def forward(
        dy: Tensor, x: Tensor, shape: torch.Size, stride: IntPair, padding: IntPair, biased: bool
    ) -> tuple[Tensor, ...]:
        found = convolution_gradients(dy, x, dy.new_empty(1).expand(shape), stride, padding, (False, True, biased))
        return found[1:] if biased else found[1:2]

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        dy, x, _, *ctx.geometry, _ = inputs
        ctx.save_for_backward(dy, x)

    @staticmethod
    def backward(ctx, h: Tensor, h_bias: Tensor | None = None) -> tuple:
        dy, x = ctx.saved_tensors
        by_dy = ConvolutionFunction.apply(x, h, h_bias, *ctx.geometry) if ctx.needs_input_grad[0] else None
        by_x = InputGradient.apply(dy, h, x.shape, *ctx.geometry) if ctx.needs_input_grad[1] else None
        return by_dy, by_x, None, None, None, None


def convolution_gradients(
    dy: Tensor, x: Tensor, weight: Tensor, stride: IntPair, padding: IntPair, wanted: tuple
) -> tuple:
    """The gradients of x, weight and bias; None where `wanted` is False."""
    bias_sizes = [dy.shape[1]] if wanted[2] else None
    settings = (list(stride), list(padding), UNDILATED, False, [0, 0], UNGROUPED)
    return torch.ops.aten.convolution_backward(dy, x, weight, bias_sizes, *settings, list(wanted))
