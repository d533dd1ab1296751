"""Sources of a rate and a decay together: two values side by side, and the product of two sources."""

from alfa_md.params import Params
from alfa_md.rules.base import Hypers, HyperSource, Values


class Pair(HyperSource):
    """The rates of one source of values and the decays of another."""

    def __init__(self, lr: Values, decay: Values):
        super().__init__()
        self.lr, self.decay = lr, decay

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        return Hypers(self.lr(params, grads, step), self.decay(params, grads, step))

    def for_task(self) -> HyperSource:
        lr, decay = self.lr.for_task(), self.decay.for_task()
        return self if (lr, decay) == (self.lr, self.decay) else Pair(lr, decay)


class Product(HyperSource):
    """The entry-wise product of two sources."""

    def __init__(self, first: HyperSource, second: HyperSource):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, params: Params, grads: Params, step: int) -> Hypers:
        return self.first(params, grads, step).times(self.second(params, grads, step))

    def for_task(self) -> HyperSource:
        first, second = self.first.for_task(), self.second.for_task()
        return self if (first, second) == (self.first, self.second) else type(self)(first, second)
