"""The one update of all rules here: gradient descent with weight decay, per tensor."""

from operator import neg

from alfa_md.params import Params
from alfa_md.rules.base import HyperSource, UpdateRule
from alfa_md.rules.layerwise import entrywise


class AffineUpdate(UpdateRule):
    """theta' = (1 - decay) * theta - lr * g, with the hyperparameters of this step; ALFA's beta is 1 - decay."""

    def __init__(self, hypers: HyperSource):
        super().__init__()
        self.hypers = hypers

    def forward(self, params: Params, grads: Params, step: int) -> Params:
        lr, decay = self.hypers(params, grads, step)
        beta, minus_lr = entrywise(lambda value: 1 - value, decay), entrywise(neg, lr)  # once for all tensors
        return {name: beta[name] * theta + minus_lr[name] * grads[name] for name, theta in params.items()}

    def for_task(self) -> UpdateRule:
        hypers = self.hypers.for_task()
        return self if hypers is self.hypers else AffineUpdate(hypers)
