"""The one update of all rules here: gradient descent with weight decay, per tensor."""

from operator import neg

from alfa_md.kernels import all_layers
from alfa_md.kernels.order import launching_is_slow
from alfa_md.params import Params
from alfa_md.rules.base import HyperSource, UpdateRule
from alfa_md.rules.layerwise import Layerwise, entrywise


class AffineUpdate(UpdateRule):
    """theta' = (1 - decay) * theta - lr * g, with the hyperparameters of this step; ALFA's beta is 1 - decay."""

    def __init__(self, hypers: HyperSource):
        super().__init__()
        self.hypers = hypers

    def forward(self, params: Params, grads: Params, step: int) -> Params:
        lr, decay = self.hypers(params, grads, step)
        beta = entrywise(lambda value: 1 - value, decay)
        if isinstance(beta, Layerwise) and isinstance(lr, Layerwise) and launching_is_slow(beta.vector):
            return updated_at_once(params, grads, beta, lr)
        minus_lr = entrywise(neg, lr)  # once, not for every tensor
        return {name: beta[name] * theta + minus_lr[name] * grads[name] for name, theta in params.items()}

    def for_task(self) -> UpdateRule:
        hypers = self.hypers.for_task()
        return self if hypers is self.hypers else AffineUpdate(hypers)


def updated_at_once(params: Params, grads: Params, beta: Layerwise, lr: Layerwise) -> Params:
    """The same for all tensors together."""
    tensors = list(params.values()), [grads[name] for name in params]
    return dict(zip(params, all_layers.updated(beta.vector, lr.vector, *tensors), strict=True))
