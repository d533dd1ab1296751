"""Recomputation of inner steps in the backward pass (activation checkpointing): less memory for more time.

In second order the graph of every inner step is kept until the outer backward pass. A step is a function of fast
weights, the rule's state, constants of the task and meta-parameters; a recomputed step saves these alone and rebuilds
its graph in the backward pass. The numbers are the same.
"""

from collections.abc import Callable, Sequence

import gin
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.checkpoint import get_device_states, set_device_states

from alfa_md.accumulators import paused
from alfa_md.inner_loop.step import Step
from alfa_md.params import Params
from alfa_md.rules.base import State

Recompute = Callable[[int], bool]  # inner step number -> True if its graph is recomputed
Take = Callable[[Params, State, Params], Step]  # an inner step of fast weights, state and constants


@gin.configurable
def keep_all(number: int) -> bool:
    """False: the graph of every inner step is kept."""
    return False


@gin.configurable
def recompute_alternate(number: int) -> bool:
    """True for every second inner step: half of the graphs are kept."""
    return number % 2 == 0


@gin.configurable
def recompute_all(number: int) -> bool:
    """True: every inner step is recomputed, one graph is in memory at a time."""
    return True


def recomputed(take: Take, params: Params, state: State, constants: Params, learned: Sequence[Tensor]) -> Step:
    """take(params, state, constants), recomputed in the backward pass; differentiable by these and `learned`."""
    tensors, spec = tree_flatten((params, state, constants))
    steps: list[Step] = []
    results = Recomputed.apply(take, spec, steps, *tensors, *learned)
    (step,) = steps
    after, state = tree_unflatten(results, tree_flatten((step.after, step.state))[1])
    return step._replace(before=params, after=after, state=state)


class Recomputed(Function):
    """An inner step that saves its inputs alone; once differentiable. Recomputation restores the random state."""

    @staticmethod
    def forward(ctx, take: Take, spec: TreeSpec, steps: list[Step], *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs = tensors[: spec.num_leaves]
        ctx.take, ctx.spec, ctx.learned = take, spec, tensors[spec.num_leaves :]
        ctx.save_for_backward(*inputs)
        ctx.random = torch.get_rng_state(), *get_device_states(inputs[0])
        steps.append(take(*tree_unflatten(inputs, spec)))
        return tuple(tree_flatten((steps[0].after, steps[0].state))[0])

    @staticmethod
    @once_differentiable
    def backward(ctx, *cotangents: Tensor) -> tuple:
        state, devices, states = ctx.random
        inputs = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        with torch.random.fork_rng(devices), torch.enable_grad(), paused():
            torch.set_rng_state(state)
            set_device_states(devices, states)
            step = ctx.take(*tree_unflatten(inputs, ctx.spec))
            outputs = zip(tree_flatten((step.after, step.state))[0], cotangents, strict=True)
            live, cotangents = zip(*((out, grad) for out, grad in outputs if out.requires_grad), strict=True)
            grads = torch.autograd.grad(live, [*inputs, *ctx.learned], cotangents, allow_unused=True)
        return None, None, None, *grads
