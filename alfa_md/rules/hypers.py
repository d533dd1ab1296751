"""Sources of learning rates and decays: from one hyperparameter each, and as a product of two sources."""

from alfa_md.params import Params
from alfa_md.rules.base import Hyperparameter, Hypers, HyperSource, State


class RateAndDecay(HyperSource):
    """A learning rate from one hyperparameter and a decay from another."""

    def __init__(self, lr: Hyperparameter, decay: Hyperparameter):
        super().__init__()
        self.lr, self.decay = lr, decay

    def init(self, params: Params) -> State:
        return self.lr.init(params), self.decay.init(params)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        lr, lr_state = self.lr(params, grads, state[0], step)
        decay, decay_state = self.decay(params, grads, state[1], step)
        return Hypers(lr, decay), (lr_state, decay_state)


class Product(HyperSource):
    """The entry-wise product of two sources."""

    def __init__(self, first: HyperSource, second: HyperSource):
        super().__init__()
        self.first, self.second = first, second

    def init(self, params: Params) -> State:
        return self.first.init(params), self.second.init(params)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Hypers, State]:
        first, first_state = self.first(params, grads, state[0], step)
        second, second_state = self.second(params, grads, state[1], step)
        return first.times(second), (first_state, second_state)

    def factors(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Hypers]:
        """The factors of both sources; the factor of generated values is named `multiplier`."""
        found = self.first.factors(params, grads, state[0], step) | self.second.factors(params, grads, state[1], step)
        if found.keys() == {"generated"}:
            found["multiplier"], _ = self.second(params, grads, state[1], step)
        return found
