"""Values per tensor, stored as one vector with names, so that arithmetic on all of them is one operation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from torch import Tensor
from torch.utils._pytree import register_pytree_node

NamedValues = Mapping[str, Tensor | float]  # tensor name -> a value that broadcasts to that tensor


class Layerwise(Mapping[str, Tensor]):
    """A mapping from N names to the entries of `vector` [N]."""

    def __init__(self, names: Iterable[str], vector: Tensor):
        self.names, self.vector = tuple(names), vector

    @cached_property
    def entries(self) -> dict[str, Tensor]:
        """Name -> entry, a scalar tensor."""
        return dict(zip(self.names, self.vector.unbind(), strict=True))

    def __getitem__(self, name: str) -> Tensor:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


# As a pytree it may be part of a state and of the results of vmap.
register_pytree_node(
    Layerwise,
    lambda values: ([values.vector], values.names),
    lambda leaves, names: Layerwise(names, *leaves),
    serialized_type_name="alfa_md.rules.layerwise.Layerwise",
)


class Shared(Mapping[str, Tensor | float]):
    """A mapping from names to one value, shared by all tensors."""

    def __init__(self, names: Iterable[str], value: Tensor | float):
        self.names, self.value = tuple(names), value

    def __getitem__(self, name: str) -> Tensor | float:
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def entrywise(operation: Callable, *values: NamedValues) -> NamedValues:
    """`operation` applied to the values of every name; a single call if all `values` are Layerwise or Shared."""
    first = values[0]
    if all(isinstance(each, Shared) for each in values):
        return Shared(first.names, operation(*(each.value for each in values)))
    if all(isinstance(each, Layerwise | Shared) for each in values):
        parts = (each.vector if isinstance(each, Layerwise) else each.value for each in values)
        return Layerwise(first.names, operation(*parts))
    return {name: operation(*(each[name] for each in values)) for name in first}
