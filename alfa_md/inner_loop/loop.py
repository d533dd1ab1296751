"""The inner loop: the only place that takes inner gradients."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.inner_loop.recomputation import Memory, fast, taken_again
from alfa_md.kernels.order import differentiated_again
from alfa_md.params import Params
from alfa_md.rules.base import UpdateRule

SupportLoss = Callable[[Params], Tensor]


class Step(NamedTuple):
    """One inner step: the fast weights it started from, their support gradient and loss, and what it led to."""

    before: Params
    grads: Params
    loss: Tensor
    after: Params


def unroll(
    params: Params,
    support_loss: SupportLoss,
    rule: UpdateRule,
    num_steps: int,
    first_order: bool,
) -> Iterator[Step]:
    """Yields the inner steps theta_0 -> theta_1 -> ... -> theta_S, one at a time.

    All tensors of `params` are taken as independent variables, also where one was computed from another (prototypes
    from the backbone): the gradient is partial, as in Meta-Dataset's code, where each is a loop variable of its own.
    `first_order` stops gradients through the support gradient only; the rule is applied to the live tensors, so that
    meta-gradients still reach the initialisation, the head and the rule. Nothing is differentiated through where the
    caller has switched gradients off (evaluation), and memory then does not grow with the number of steps.
    """
    for number in range(num_steps):
        step = take_step(params, support_loss, rule, number, first_order)
        params = step.after
        yield step


def take_step(params: Params, support_loss: SupportLoss, rule: UpdateRule, number: int, first_order: bool) -> Step:
    """Inner step `number`; see `unroll`."""
    through_gradient = not first_order and torch.is_grad_enabled()
    with torch.enable_grad(), differentiated_again() if through_gradient else nullcontext():
        own = independent(params, through_gradient)
        loss = support_loss(own)
        grads = partial_gradients(loss, own, create_graph=through_gradient)
    return Step(params, grads, loss.detach(), rule(params, grads, number))


def independent(params: Params, linked: bool) -> Params:
    """The same values as independent variables; where `linked`, views that keep the way back to what is trained."""

    def alias(tensor: Tensor) -> Tensor:
        return tensor.view_as(tensor) if linked and tensor.requires_grad else tensor.detach().requires_grad_()

    return {name: alias(tensor) for name, tensor in params.items()}


def partial_gradients(loss: Tensor, variables: Params, **graph: bool) -> Params:
    """Those of `loss` by each of the variables; `graph` is what autograd is told of the graph to keep or create."""
    grads = torch.autograd.grad(loss, list(variables.values()), materialize_grads=True, **graph)
    return dict(zip(variables, grads, strict=True))


def adapt(
    params: Params,
    support_loss: SupportLoss,
    rule: UpdateRule,
    num_steps: int,
    first_order: bool,
    first: int = 0,
    memory: Memory = fast,
    learned: Sequence[Tensor] = (),
) -> Params:
    """The fast weights after the inner steps from `first` on; `params` themselves where there is none. See `unroll`.

    In second order `memory` says which steps keep no graph and are taken again in the backward pass; `learned` are
    then all tensors with a meta-gradient that a step depends on besides the fast weights.
    """
    for number in range(first, num_steps):
        take = partial(_after, support_loss=support_loss, rule=rule, number=number, first_order=first_order)
        if memory(number) and not first_order and torch.is_grad_enabled():
            params = taken_again(take, params, learned)
        else:
            params = take(params)
    return params


def _after(params: Params, **step: object) -> Params:
    return take_step(params, **step).after
