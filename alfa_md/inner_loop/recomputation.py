"""Inner steps without a graph, taken again in the backward pass: less memory for more time, the same numbers.

In second order the graph of every inner step is kept until the outer gradient has passed through it. A step is a
function of the fast weights and the meta-parameters alone, so its graph can be made when it is needed: from the fast
weights that it started from, which are all that is stored of it.
"""

from collections.abc import Callable, Sequence

import gin
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import get_device_states, set_device_states

from alfa_md.accumulators import gathered_already
from alfa_md.params import Params

Memory = Callable[[int], bool]  # whether inner step number i is taken again
Take = Callable[[Params], Params]  # one inner step


@gin.configurable
def fast(number: int) -> bool:
    """Every step keeps its graph."""
    return False


@gin.configurable
def balanced(number: int) -> bool:
    """Every second step is taken again, so that half of the graphs are kept."""
    return number % 2 == 0


@gin.configurable
def low(number: int) -> bool:
    """Every step is taken again: the graph of one step is there at a time."""
    return True


def taken_again(take: Take, params: Params, learned: Sequence[Tensor]) -> Params:
    """take(params), whose gradients by `params` and by the `learned` tensors take the step once more."""
    names = tuple(params)
    results = TakenAgain.apply(take, names, *params.values(), *learned)
    return dict(zip(names, results, strict=True))


class TakenAgain(Function):
    """A step with its gradient, not to be differentiated twice. Random numbers are drawn again as they were."""

    @staticmethod
    def forward(ctx, take: Take, names: tuple[str, ...], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.take, ctx.names, ctx.learned = take, names, tensors[len(names) :]
        ctx.save_for_backward(*tensors[: len(names)])
        ctx.drawn = torch.get_rng_state(), *get_device_states(tensors[0])
        after = take(dict(zip(names, tensors, strict=False)))
        return tuple(after[name] for name in names)

    @staticmethod
    @once_differentiable
    def backward(ctx, *cotangents: Tensor) -> tuple:
        state, devices, states = ctx.drawn
        before = {n: t.detach().requires_grad_() for n, t in zip(ctx.names, ctx.saved_tensors, strict=True)}
        with torch.random.fork_rng(devices), torch.enable_grad(), gathered_already():
            torch.set_rng_state(state)
            set_device_states(devices, states)
            after = ctx.take(before)
            inputs = [*before.values(), *ctx.learned]
            grads = torch.autograd.grad([after[n] for n in ctx.names], inputs, cotangents, allow_unused=True)
        return None, None, *grads
