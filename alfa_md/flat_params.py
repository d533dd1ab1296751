"""Fast weights as views of one vector, for networks so small that cost is the number of operations.

An inner step then differentiates by one tensor and updates all layers in a few operations.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache

import torch
from torch import Tensor
from torch.utils._pytree import register_pytree_node

from alfa_md.kernels.dispatch import in_plain_operations, in_stacked_tasks

MAX_ENTRIES = 2**14  # beyond this the arithmetic costs more than the operations saved


class Layout:
    """Names and shapes of N tensors that are concatenated in a vector [P]."""

    def __init__(self, names: tuple[str, ...], shapes: tuple[torch.Size, ...]):
        self.names, self.shapes = names, shapes
        self.sizes = [shape.numel() for shape in shapes]

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """The tensors of a vector [P], as views."""
        pieces = zip(self.names, flat.split(self.sizes), self.shapes, strict=True)
        return {name: piece.view(shape) for name, piece, shape in pieces}

    def means(self, flat: Tensor) -> Tensor:
        """The mean of every tensor [N]."""
        return membership(tuple(self.sizes), flat.dtype)[1] @ flat

    def repeat(self, values: Tensor) -> Tensor:
        """Values per tensor [N], repeated over the entries of each [P]."""
        return values @ membership(tuple(self.sizes), values.dtype)[0]


@lru_cache(maxsize=64)
def membership(sizes: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(M [N, P] with M_np = 1 if entry p belongs to tensor n, M with rows divided by the sizes)."""
    ones = torch.block_diag(*(torch.ones(1, size, dtype=dtype) for size in sizes))
    return ones, ones / torch.tensor(sizes, dtype=dtype)[:, None]


class FlatParams(Mapping[str, Tensor]):
    """Fast weights as views of `flat` [P], split at first access."""

    def __init__(self, flat: Tensor, layout: Layout):
        self.flat, self.layout = flat, layout

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The weights by name."""
        return self.layout.split(self.flat)

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.names)

    def __len__(self) -> int:
        return len(self.layout.names)


register_pytree_node(
    FlatParams,
    lambda params: ([params.flat], params.layout),
    lambda leaves, layout: FlatParams(*leaves, layout),
    serialized_type_name="alfa_md.flat_params.FlatParams",
)


def flattened(params: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The weights of one task as FlatParams if that is faster: few entries, linear layers, one dtype, on the CPU.

    Convolution weights are excluded: they have a memory format, which a vector would lose.
    """
    tensors = list(params.values())
    if in_plain_operations() or in_stacked_tasks() or sum(tensor.numel() for tensor in tensors) > MAX_ENTRIES:
        return params
    if any(t.dim() > 2 or t.device.type != "cpu" or t.dtype != tensors[0].dtype for t in tensors):
        return params
    return FlatParams(flat_vector(params), Layout(tuple(params), tuple(tensor.shape for tensor in tensors)))


def flat_vector(params: Mapping[str, Tensor]) -> Tensor:
    """All entries in one vector [P]."""
    return params.flat if isinstance(params, FlatParams) else torch.cat([t.reshape(-1) for t in params.values()])
