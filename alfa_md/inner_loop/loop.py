"""The inner loop: S steps of an update rule on the support loss."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from alfa_md.inner_loop.recomputation import Recompute, keep_all, recomputed
from alfa_md.inner_loop.step import Step, SupportLoss, inner_step
from alfa_md.params import Params
from alfa_md.rules.base import UpdateRule


def unroll(
    params: Params,
    support_loss: SupportLoss,
    rule: UpdateRule,
    num_steps: int,
    first_order: bool,
    constants: Params | None = None,
    recompute: Recompute = keep_all,
    learned: Sequence[Tensor] = (),
    first_grads: Params | None = None,
) -> Iterator[Step]:
    """Yields the inner steps theta_0 -> theta_1 -> ... -> theta_S.

    All tensors of `params` are independent variables, also if one was computed from another (prototypes from the
    backbone): the inner gradient is partial, as in Meta-Dataset's code, where each is a separate loop variable.
    `first_order` stops gradients through the support gradient only: meta-gradients still reach the initialisation, the
    head and the rule. Under `torch.no_grad()` (evaluation) no graph is kept, and memory does not grow with the number
    of steps.

    Args:
      support_loss: of the fast weights and the `constants`, together in one dictionary.
      constants: tensors of the task that the support loss reads and no step changes, such as features computed once;
        gradients flow through them in second order.
      recompute: in second order, the steps whose graph is recomputed in the backward pass instead of kept.
      learned: with `recompute`, the meta-parameters that a step reads, such as those of the rule.
      first_grads: the support gradient of the first step, if already computed.
    """
    state, constants = rule.init(params), constants or {}
    for number in range(num_steps):
        take = partial(inner_step, support_loss=support_loss, rule=rule, number=number, first_order=first_order)
        if not first_order and recompute is not keep_all and recompute(number) and torch.is_grad_enabled():
            step = recomputed(take, params, state, constants, learned)
        else:
            step = take(params, state, constants, grads=first_grads if number == 0 else None)
        params, state = step.after, step.state
        yield step


def adapt(
    params: Params,
    support_loss: SupportLoss,
    rule: UpdateRule,
    num_steps: int,
    first_order: bool,
    constants: Params | None = None,
    recompute: Recompute = keep_all,
    learned: Sequence[Tensor] = (),
    first_grads: Params | None = None,
) -> Params:
    """theta_S, the fast weights after all inner steps; `params` themselves if there are none. Arguments of `unroll`."""
    options = (num_steps, first_order, constants, recompute, learned, first_grads)
    for step in unroll(params, support_loss, rule, *options):
        params = step.after
    return params
