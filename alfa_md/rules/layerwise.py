"""One value for every tensor, as a vector with names: to compute with all of them is one operation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from torch import Tensor

Named = Mapping[str, Tensor | float]  # name -> a value that broadcasts to the tensor of that name


class Layerwise(Mapping[str, Tensor]):
    """The entries of `vector` [N] by name, in order."""

    def __init__(self, names: Iterable[str], vector: Tensor):
        self.names, self.vector = tuple(names), vector

    @cached_property
    def entries(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.vector.unbind(), strict=True))

    def __getitem__(self, name: str) -> Tensor:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def entrywise(operation: Callable, *values: Named) -> Named:
    """`operation` on the values of every name; all names at once where each of the `values` is layer-wise."""
    first = values[0]
    if all(isinstance(each, Layerwise) for each in values):
        return Layerwise(first, operation(*(each.vector for each in values)))
    return {name: operation(*(each[name] for each in values)) for name in first}
