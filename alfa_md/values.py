"""Requirements on the values of parameters, as annotations in the signatures of configurables.

`Count`, `Positive` and so on are types: `def flat(rate: NonNegative)`. A binding that does not meet them is refused.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from torch import Tensor, nn

LARGEST = 1e30  # far from the end of float32


class Range(NamedTuple):
    """The numbers from `lowest` to `highest`; without `lowest` itself if `above`, without `highest` if `below`."""

    lowest: float
    highest: float
    above: bool = False
    below: bool = False

    def __contains__(self, value: Any) -> bool:
        low = value > self.lowest if self.above else value >= self.lowest
        return low and (value < self.highest if self.below else value <= self.highest)

    def __str__(self) -> str:
        low, high = "above" if self.above else "of at least", "below" if self.below else "at most"
        return f"{low} {self.lowest} and {high} {self.highest}"


class Maps(NamedTuple):
    """Modules whose `forward` is valid as `function`; `name` says what they are."""

    function: Any
    name: str


Count = Annotated[int, Range(1, 10**9)]
CountOrZero = Annotated[int, Range(0, 10**9)]
Items = Annotated[int, Range(1, 10**6)]  # that are in memory together
Way = Annotated[int, Range(2, 10**6)]  # classes to tell apart
Steps = Annotated[int, Range(0, 10**4)]
Layers = Annotated[int, Range(1, 1000)]
Width = Annotated[int, Range(1, 2**12)]  # channels of a layer
Features = Annotated[int, Range(1, 10**6)]  # at the end of a backbone, or classes
Pixels = Annotated[int, Range(1, 2**12)]  # per side of an image
Threads = Annotated[int, Range(1, 1024)]
Real = Annotated[float, Range(-LARGEST, LARGEST)]
LogWeight = Annotated[float, Range(-50, 50)]
NonNegative = Annotated[float, Range(0, LARGEST)]
Positive = Annotated[float, Range(0, LARGEST, above=True)]
Share = Annotated[float, Range(0, 1)]
Momentum = Annotated[float, Range(0, 1, below=True)]
Backbone = Annotated[nn.Module, Maps(Callable[[Tensor], Tensor], "a backbone of images to features, written @name()")]
Layer = Annotated[nn.Module, Maps(Callable[[Tensor], Tensor], "a layer")]
