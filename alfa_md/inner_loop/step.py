"""One inner step: the support gradient, and the update rule applied to it."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.errors import UserError
from alfa_md.flat_params import FlatParams
from alfa_md.kernels.dispatch import double_backward
from alfa_md.params import Params
from alfa_md.rules.base import State, UpdateRule

SupportLoss = Callable[[Params], Tensor]


class Step(NamedTuple):
    """An inner step: the fast weights before it, their support gradient and loss, the fast weights and state after."""

    before: Params
    grads: Params
    loss: Tensor | None  # None if the support gradient was given
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
    """Inner step `number`, from 0; `grads` is its support gradient if already computed. See `unroll`."""
    loss = None
    if grads is None:
        through_gradient = not first_order and torch.is_grad_enabled()
        with torch.enable_grad(), double_backward() if through_gradient else nullcontext():
            variables = independent_variables(params, through_gradient)
            fixed = constants if through_gradient else {name: tensor.detach() for name, tensor in constants.items()}
            loss = support_loss({**fixed, **variables})
            grads = partial_gradients(loss, variables, create_graph=through_gradient)
        loss = loss.detach()
    return Step(params, grads, loss, *checked_update(rule, params, grads, state, number))


def checked_update(rule: UpdateRule, params: Params, grads: Params, state: State, number: int) -> tuple[Params, State]:
    """(fast weights, state) after the rule's update. Raises UserError if it returns something else."""
    result = rule.update(params, grads, state, number)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], Mapping)):
        raise UserError(f"{type(rule).__name__}.update must return a pair: fast weights by name, and the next state")
    if result[0].keys() != params.keys():
        names = ", ".join(sorted(result[0].keys() ^ params.keys()))
        raise UserError(f"{type(rule).__name__}.update must return the names it was given; it differs in {names}")
    return result


def independent_variables(params: Params, linked: bool) -> Params:
    """`params` as independent variables: views with their graph if `linked`, else detached leaves."""

    def alias(tensor: Tensor) -> Tensor:
        return tensor.view_as(tensor) if linked and tensor.requires_grad else tensor.detach().requires_grad_()

    if isinstance(params, FlatParams):
        return FlatParams(alias(params.flat), params.layout)
    return {name: alias(tensor) for name, tensor in params.items()}


def partial_gradients(loss: Tensor, variables: Params, **graph: bool) -> Params:
    """The gradients of `loss` by `variables`; `graph` is passed to autograd.grad (create_graph, retain_graph)."""
    if isinstance(variables, FlatParams):
        (flat,) = torch.autograd.grad(loss, variables.flat, materialize_grads=True, **graph)
        return FlatParams(flat, variables.layout)
    grads = torch.autograd.grad(loss, list(variables.values()), materialize_grads=True, **graph)
    return dict(zip(variables, grads, strict=True))
