"""gin with the types of its decorator: type checkers take what gin-config's own returns, without annotations, for Any.

For functions of the public API; of a class that is decorated, checkers see the class in any case.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

import gin as untyped

F = TypeVar("F", bound=Callable[..., object])


class Gin(Protocol):
    """The part of gin that code uses: the decorator, and the default of a parameter that a binding must give."""

    REQUIRED: Any

    @overload
    def configurable(self, decorated: F, /) -> F: ...
    @overload
    def configurable(self, name: str, /) -> Callable[[F], F]: ...


gin: Gin = untyped
