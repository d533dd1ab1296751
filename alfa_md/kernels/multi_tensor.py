"""Multi-tensor operations for launch-bound devices: means and updates of all tensors of a network in a few kernels.

The entries of N tensors are concatenated to one vector [P]. One value per tensor [N] is repeated over the entries of
its tensor; the other way round, entries are summed over every tensor. Gradients take as few kernels as values.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

CHUNK = 2**14  # entries; segment_reduce gives one thread block to a segment, so long segments are split


def tensor_means(tensors: Sequence[Tensor]) -> Tensor:
    """The mean of every tensor [N]; once differentiable."""
    return TensorMeans.apply(*tensors)


def update_tensors(beta: Tensor, lr: Tensor, thetas: Sequence[Tensor], grads: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """beta_n theta_n - lr_n grad_n for every tensor n; beta and lr are [N]. Once differentiable."""
    return TensorUpdates.apply(beta, lr, *thetas, *grads)


class TensorMeans(Function):
    """sum / length of every tensor; the gradient is cotangent / length at every entry."""

    @staticmethod
    def forward(ctx, *tensors: Tensor) -> Tensor:
        ctx.segments = Segments(tensors)
        return ctx.segments.sum(ctx.segments.concatenate(tensors)) / ctx.segments.lengths

    @staticmethod
    @once_differentiable
    def backward(ctx, cotangent: Tensor) -> tuple[Tensor, ...]:
        return ctx.segments.split(ctx.segments.repeat(cotangent / ctx.segments.lengths))


class TensorUpdates(Function):
    """theta' = beta theta - lr g: dbeta = sum of dtheta' theta, dlr = -(sum of dtheta' g), over every tensor."""

    @staticmethod
    def forward(ctx, beta: Tensor, lr: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.segments = segments = Segments(tensors[: len(beta)])
        theta, grad = segments.concatenate(tensors[: len(beta)]), segments.concatenate(tensors[len(beta) :])
        ctx.save_for_backward(beta, lr, theta, grad)
        return segments.split(segments.repeat(beta) * theta - segments.repeat(lr) * grad)

    @staticmethod
    @once_differentiable
    def backward(ctx, *cotangents: Tensor) -> tuple:
        segments, (beta, lr, theta, grad) = ctx.segments, ctx.saved_tensors
        for_thetas, for_grads = any(ctx.needs_input_grad[2 : 2 + len(beta)]), any(ctx.needs_input_grad[2 + len(beta) :])
        change = segments.concatenate(cotangents)
        dbeta, dlr = segments.sum(change * theta), -segments.sum(change * grad)
        nothing = (None,) * len(beta)
        dtheta = segments.split(change * segments.repeat(beta)) if for_thetas else nothing
        dgrad = segments.split(change * segments.repeat(-lr)) if for_grads else nothing
        return dbeta, dlr, *dtheta, *dgrad


class Segments:
    """N tensors as segments of one vector: their shapes, memory formats and lengths."""

    def __init__(self, tensors: Sequence[Tensor]):
        self.shapes = [tensor.shape for tensor in tensors]
        self.channels_last = [
            tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last) for tensor in tensors
        ]
        self.sizes = tuple(tensor.numel() for tensor in tensors)
        self.lengths, self.chunk_lengths, self.chunk_counts = segment_lengths(self.sizes, tensors[0].device)

    def concatenate(self, tensors: Sequence[Tensor]) -> Tensor:
        """All entries [P] of N tensors of these shapes, in memory order."""
        orders = zip(tensors, self.channels_last, strict=True)
        return torch.cat([(x.permute(0, 2, 3, 1) if last else x).reshape(-1) for x, last in orders])

    def split(self, flat: Tensor) -> tuple[Tensor, ...]:
        """The N tensors of a vector [P]; inverse of `concatenate`."""
        pieces = zip(flat.split(self.sizes), self.shapes, self.channels_last, strict=True)
        return tuple(
            piece.view(shape[0], *shape[2:], shape[1]).permute(0, 3, 1, 2) if last else piece.view(shape)
            for piece, shape, last in pieces
        )

    def repeat(self, values: Tensor) -> Tensor:
        """Every value [N] repeated over the entries of its tensor [P]."""
        return torch.cat([value.expand(size) for value, size in zip(values.unbind(), self.sizes, strict=True)])

    def sum(self, flat: Tensor) -> Tensor:
        """The sum of the entries of every tensor [N]."""
        return segment_sums(segment_sums(flat, self.chunk_lengths), self.chunk_counts)


def segment_sums(values: Tensor, lengths: Tensor) -> Tensor:
    """The sums of consecutive segments of `values` with these lengths."""
    return torch.segment_reduce(values, "sum", lengths=lengths, unsafe=True)  # unsafe: lengths are not read back


@lru_cache(maxsize=256)
def segment_lengths(sizes: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(sizes, chunk lengths of all tensors, number of chunks of each), as tensors on `device`.

    The first call copies them synchronously, so that every stream may read the cached result.
    """
    chunks = [[CHUNK] * (size // CHUNK) + [size % CHUNK] for size in sizes]
    lists = sizes, [length for own in chunks for length in own], [len(own) for own in chunks]
    return tuple(torch.tensor(each, device=device) for each in lists)
