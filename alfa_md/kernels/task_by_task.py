"""Operations that stacked tasks go through one by one, because they are slow for several at once."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import Function


class TaskByTask(Function):
    """A Function of tensors and settings that `vmap` calls for every task by itself."""

    @classmethod
    def vmap(cls, info, in_dims: tuple, *args: object) -> tuple:
        columns = [
            Apart.apply(arg.movedim(dim, 0)) if isinstance(dim, int) else [arg] * info.batch_size
            for arg, dim in zip(args, in_dims, strict=True)
        ]
        results = [cls.apply(*task) for task in zip(*columns, strict=True)]
        if isinstance(results[0], Tensor):
            return Together.apply(*results), 0
        return tuple(Together.apply(*column) for column in zip(*results, strict=True)), (0,) * len(results[0])


class Together(Function):
    """`stacked_as_they_are`, whose gradient is `Apart`: PyTorch's own of it are slow to be differentiated again."""

    @staticmethod
    def forward(ctx, *tensors: Tensor) -> Tensor:
        return stacked_as_they_are(tensors)

    @staticmethod
    def backward(ctx, cotangent: Tensor) -> tuple[Tensor, ...]:
        return Apart.apply(cotangent)


class Apart(Function):
    """The tensors of all tasks, from a stack of them."""

    @staticmethod
    def forward(ctx, stack: Tensor) -> tuple[Tensor, ...]:
        return stack.unbind()

    @staticmethod
    def backward(ctx, *cotangents: Tensor) -> Tensor:
        return Together.apply(*cotangents)


def stacked_as_they_are(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors of all tasks [T, ...]; maps keep their order in memory, which `torch.stack` would change."""
    if tensors[0].dim() == 4 and tensors[0].is_contiguous(memory_format=torch.channels_last):
        return torch.stack([tensor.permute(0, 2, 3, 1) for tensor in tensors]).permute(0, 1, 4, 2, 3)
    return torch.stack(list(tensors))
