"""Gradient descent with weight decay, tensor by tensor: the update of MAML, Meta-SGD, LSLR and ALFA."""

from operator import neg

from alfa_md.kernels import all_layers
from alfa_md.kernels.dispatch import launch_bound
from alfa_md.params import Params
from alfa_md.rules.base import Hypers, HyperSource, State, UpdateRule
from alfa_md.rules.layerwise import Layerwise, Named, entrywise


class AffineUpdate(UpdateRule):
    """theta' = (1 - decay) theta - lr g, with the hyperparameters of this step; ALFA's beta is 1 - decay."""

    def __init__(self, hypers: HyperSource):
        super().__init__()
        self.hypers = hypers

    def init(self, params: Params) -> State:
        return self.hypers.init(params)

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        hypers, state = self.hypers(params, grads, state, step)
        return affine_update(params, grads, hypers), state

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, Named]:
        (rates, decays), _ = self.hypers(params, grads, state, step)
        reported = {"rates": rates, "decays": decays}
        for name, factor in self.hypers.factors(params, grads, state, step).items():
            reported |= {f"{name}_rates": factor.lr, f"{name}_decays": factor.decay}
        return reported


def affine_update(params: Params, grads: Params, hypers: Hypers) -> Params:
    """(1 - decay) theta - lr g for every tensor; in a few operations for all of them where launches are the cost."""
    lr, decay = hypers
    beta = entrywise(lambda value: 1 - value, decay)
    if isinstance(beta, Layerwise) and isinstance(lr, Layerwise) and launch_bound(beta.vector):
        tensors = list(params.values()), [grads[name] for name in params]
        return dict(zip(params, all_layers.updated(beta.vector, lr.vector, *tensors), strict=True))
    minus_lr = entrywise(neg, lr)  # once, not for every tensor
    return {name: beta[name] * theta + minus_lr[name] * grads[name] for name, theta in params.items()}
