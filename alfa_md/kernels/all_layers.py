"""All tensors of a network in a few operations, each with a number of its own: for devices that are told of every one.

The entries of all tensors are laid one behind the other, [P], and numbers of tensors [N] are repeated to their lengths
or, the other way round, summed over them. Under each function stands its gradient, which takes as few operations.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

CHUNK = 2**14  # entries; a sum is the work of one block of threads, however long it is


def means(tensors: Sequence[Tensor]) -> Tensor:
    """The mean of every tensor [N], not to be differentiated twice."""
    return Means.apply(*tensors)


def updated(beta: Tensor, lr: Tensor, thetas: Sequence[Tensor], grads: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """beta_n theta_n - lr_n grad_n for every n, not to be differentiated twice; beta and lr are [N]."""
    return Updated.apply(beta, lr, *thetas, *grads)


class Means(Function):
    """sum / length of every tensor, whose gradient is the cotangent / length for every entry."""

    @staticmethod
    def forward(ctx, *tensors: Tensor) -> Tensor:
        ctx.layers = Layers(tensors)
        return ctx.layers.summed(ctx.layers.flat(tensors)) / ctx.layers.lengths

    @staticmethod
    @once_differentiable
    def backward(ctx, cotangent: Tensor) -> tuple[Tensor, ...]:
        return ctx.layers.apart(ctx.layers.repeated(cotangent / ctx.layers.lengths))


class Updated(Function):
    """theta' = beta theta - lr g: dbeta = sum of dtheta' theta, dlr = -(sum of dtheta' g), over every tensor."""

    @staticmethod
    def forward(ctx, beta: Tensor, lr: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.layers = layers = Layers(tensors[: len(beta)])
        theta, grad = layers.flat(tensors[: len(beta)]), layers.flat(tensors[len(beta) :])
        ctx.save_for_backward(beta, lr, theta, grad)
        return layers.apart(layers.repeated(beta) * theta - layers.repeated(lr) * grad)

    @staticmethod
    @once_differentiable
    def backward(ctx, *cotangents: Tensor) -> tuple:
        layers, (beta, lr, theta, grad) = ctx.layers, ctx.saved_tensors
        for_thetas, for_grads = any(ctx.needs_input_grad[2 : 2 + len(beta)]), any(ctx.needs_input_grad[2 + len(beta) :])
        change = layers.flat(cotangents)
        dbeta, dlr = layers.summed(change * theta), -layers.summed(change * grad)
        nothing = (None,) * len(beta)
        dtheta = layers.apart(change * layers.repeated(beta)) if for_thetas else nothing
        dgrad = layers.apart(change * layers.repeated(-lr)) if for_grads else nothing
        return dbeta, dlr, *dtheta, *dgrad


class Layers:
    """The shapes of some tensors, and the order in which the entries of each lie in memory."""

    def __init__(self, tensors: Sequence[Tensor]):
        self.shapes = [tensor.shape for tensor in tensors]
        self.channels_last = [
            tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last) for tensor in tensors
        ]
        self.sizes = tuple(tensor.numel() for tensor in tensors)
        self.lengths, self.chunks, self.numbers = measures(self.sizes, tensors[0].device)

    def flat(self, tensors: Sequence[Tensor]) -> Tensor:
        """All entries [P] of tensors of these shapes."""
        orders = zip(tensors, self.channels_last, strict=True)
        return torch.cat([(x.permute(0, 2, 3, 1) if last else x).reshape(-1) for x, last in orders])

    def apart(self, flat: Tensor) -> tuple[Tensor, ...]:
        """The tensors that `flat` was made of."""
        pieces = zip(flat.split(self.sizes), self.shapes, self.channels_last, strict=True)
        return tuple(
            piece.view(shape[0], *shape[2:], shape[1]).permute(0, 3, 1, 2) if last else piece.view(shape)
            for piece, shape, last in pieces
        )

    def repeated(self, values: Tensor) -> Tensor:
        """The value of its tensor [N] for every entry [P]."""
        return torch.cat([value.expand(size) for value, size in zip(values.unbind(), self.sizes, strict=True)])

    def summed(self, flat: Tensor) -> Tensor:
        """The sum over every tensor [N]."""
        return sums(sums(flat, self.chunks), self.numbers)


def sums(values: Tensor, lengths: Tensor) -> Tensor:
    """The sums of so many values each, one after the other; unsafe means that no length is looked at."""
    return torch.segment_reduce(values, "sum", lengths=lengths, unsafe=True)


@lru_cache(maxsize=256)
def measures(sizes: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The sizes, the lengths of the chunks that they are cut into, and how many each has, as tensors on a device.

    They are copied, which is waited for, when they are first asked for, and are then there for all streams.
    """
    chunks = [[CHUNK] * (size // CHUNK) + [size % CHUNK] for size in sizes]
    columns = sizes, [length for own in chunks for length in own], [len(own) for own in chunks]
    return tuple(torch.tensor(column, device=device) for column in columns)
