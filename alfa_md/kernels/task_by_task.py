"""Functions that vmap applies to stacked tasks one by one, because they are slow on stacks."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alfa_md.kernels.function import Function


class TaskByTask(Function):
    """A Function of tensors and settings that `vmap` calls once for every task."""

    @classmethod
    def vmap(cls, info, in_dims: tuple, *args: object) -> tuple:
        columns = [
            Unstack.apply(arg.movedim(dim, 0)) if isinstance(dim, int) else [arg] * info.batch_size
            for arg, dim in zip(args, in_dims, strict=True)
        ]
        results = [cls.apply(*task) for task in zip(*columns, strict=True)]
        if isinstance(results[0], Tensor):
            return Stack.apply(*results), 0
        return tuple(Stack.apply(*column) for column in zip(*results, strict=True)), (0,) * len(results[0])


class Stack(Function):
    """`stack_tasks`, whose gradient is `Unstack`: PyTorch's own is slow in double backward."""

    @staticmethod
    def forward(ctx, *tensors: Tensor) -> Tensor:
        return stack_tasks(tensors)

    @staticmethod
    def backward(ctx, cotangent: Tensor) -> tuple[Tensor, ...]:
        return Unstack.apply(cotangent)


class Unstack(Function):
    """The tensors of all tasks, from a stack of them."""

    @staticmethod
    def forward(ctx, stack: Tensor) -> tuple[Tensor, ...]:
        return stack.unbind()

    @staticmethod
    def backward(ctx, *cotangents: Tensor) -> Tensor:
        return Stack.apply(*cotangents)


def stack_tasks(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors of all tasks [T, ...]; feature maps keep their memory format, which `torch.stack` would change."""
    if tensors[0].dim() == 4 and tensors[0].is_contiguous(memory_format=torch.channels_last):
        return torch.stack([tensor.permute(0, 2, 3, 1) for tensor in tensors]).permute(0, 1, 4, 2, 3)
    return torch.stack(list(tensors))
