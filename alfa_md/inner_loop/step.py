"""One inner step: the support gradient, and the update rule applied to it."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.kernels.dispatch import double_backward
from alfa_md.params import Params
from alfa_md.rules.base import State, UpdateRule

SupportLoss = Callable[[Params], Tensor]


class Step(NamedTuple):
    """An inner step: the fast weights before it, their support gradient and loss, the fast weights and state after."""

    before: Params
    grads: Params
    loss: Tensor | None  # None if the support gradient was known
    after: Params
    state: State


def inner_step(
    params: Params,
    state: State,
    constants: Params,
    support_loss: SupportLoss,
    rule: UpdateRule,
    number: int,
    first_order: bool,
    grads: Params | None = None,
) -> Step:
    """Inner step `number`, from 0; `grads` is its support gradient if that is known already. See `unroll`."""
    loss = None
    if grads is None:
        through_gradient = not first_order and torch.is_grad_enabled()
        with torch.enable_grad(), double_backward() if through_gradient else nullcontext():
            variables = independent(params, through_gradient)
            fixed = constants if through_gradient else {name: tensor.detach() for name, tensor in constants.items()}
            loss = support_loss(fixed | variables)
            grads = partial_gradients(loss, variables, create_graph=through_gradient)
        loss = loss.detach()
    return Step(params, grads, loss, *rule.update(params, grads, state, number))


def independent(params: Params, linked: bool) -> Params:
    """The same values as independent variables; if `linked`, views that keep the graph back to what is meta-learned."""

    def alias(tensor: Tensor) -> Tensor:
        return tensor.view_as(tensor) if linked and tensor.requires_grad else tensor.detach().requires_grad_()

    return {name: alias(tensor) for name, tensor in params.items()}


def partial_gradients(loss: Tensor, variables: Params, **graph: bool) -> Params:
    """The gradient of `loss` by each variable; `graph` has autograd's create_graph or retain_graph."""
    grads = torch.autograd.grad(loss, list(variables.values()), materialize_grads=True, **graph)
    return dict(zip(variables, grads, strict=True))
