"""Gradient descent with weight decay per tensor: the update of MAML, Meta-SGD, LSLR and ALFA."""

from operator import neg

from torch import Tensor

from alfa_md.flat_params import FlatParams, Layout, flat_vector
from alfa_md.kernels import multi_tensor
from alfa_md.kernels.dispatch import launch_bound
from alfa_md.params import Params
from alfa_md.rules.base import Hypers, HyperSource, State, UpdateRule
from alfa_md.rules.layerwise import Layerwise, NamedValues, Shared, entrywise


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

    def hyperparameters(self, params: Params, grads: Params, state: State, step: int) -> dict[str, NamedValues]:
        (rates, decays), _ = self.hypers(params, grads, state, step)
        reported = {"rates": rates, "decays": decays}
        for name, factor in self.hypers.factors(params, grads, state, step).items():
            reported |= {f"{name}_rates": factor.lr, f"{name}_decays": factor.decay}
        return reported


def entry_values(values: Layerwise | Shared, layout: Layout) -> Tensor | float:
    """The value of every entry [P] of flat weights, or the one value shared by all."""
    return layout.repeat(values.vector) if isinstance(values, Layerwise) else values.value


def affine_update(params: Params, grads: Params, hypers: Hypers) -> Params:
    """(1 - decay) theta - lr g for every tensor; in a few operations for flat weights and on launch-bound devices."""
    lr, decay = hypers
    beta = entrywise(lambda value: 1 - value, decay)
    if isinstance(params, FlatParams) and isinstance(beta, Layerwise | Shared) and isinstance(lr, Layerwise | Shared):
        layout, (beta, lr) = params.layout, (entry_values(each, params.layout) for each in (beta, lr))
        return FlatParams(beta * params.flat - lr * flat_vector(grads), layout)
    if isinstance(beta, Layerwise) and isinstance(lr, Layerwise) and launch_bound(beta.vector):
        tensors = list(params.values()), [grads[name] for name in params]
        return dict(zip(params, multi_tensor.update_tensors(beta.vector, lr.vector, *tensors), strict=True))
    minus_lr = entrywise(neg, lr)  # negated once for all tensors
    return {name: beta[name] * theta + minus_lr[name] * grads[name] for name, theta in params.items()}
