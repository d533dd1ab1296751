"""One value for every tensor, stored as a vector with names: arithmetic on all of them is one operation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from torch import Tensor
from torch.utils._pytree import register_pytree_node

Named = Mapping[str, Tensor | float]  # name -> a value that broadcasts to the tensor of that name


class Layerwise(Mapping[str, Tensor]):
    """The entries of `vector` [N] by name, in order."""

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


# A state may hold it, and vmap return it.
register_pytree_node(
    Layerwise,
    lambda values: ([values.vector], values.names),
    lambda leaves, names: Layerwise(names, *leaves),
    serialized_type_name="alfa_md.rules.layerwise.Layerwise",
)


def entrywise(operation: Callable, *values: Named) -> Named:
    """`operation` applied to the values of every name; one operation if all `values` are Layerwise."""
    first = values[0]
    if all(isinstance(each, Layerwise) for each in values):
        return Layerwise(first.names, operation(*(each.vector for each in values)))
    return {name: operation(*(each[name] for each in values)) for name in first}
