"""Stacked episodes as FX graphs of tensor operations, traced once per shape, then replayed or compiled.

In a small network most time goes into autograd, vmap and Python. A trace has the tensor operations alone, including
those of the inner and outer gradients.
"""

import os
import shutil
from collections.abc import Callable, Sequence

import gin
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.dialect.common.cse_pass import CSEPass

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.learners.batching.vmapped import stackable, vmapped, vmapped_scores
from alfa_md.learners.gradient import GradientLearner

TracedFunction = Callable[..., Tensor | list[Tensor]]


@gin.configurable
def replayed(graph: GraphModule) -> TracedFunction:
    """Runs the graph as it is, operation by operation."""
    return graph


@gin.configurable
def compiled(graph: GraphModule, mode: str | None = None) -> TracedFunction:
    """Compiles the graph by torch.compile, which needs a C++ compiler and up to two minutes in the first call.

    `mode` is that of torch.compile; 'reduce-overhead' runs a trace as a CUDA graph. Raises UserError if no compiler is
    found.
    """
    if not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
        raise UserError("Traced.run = @compiled needs a C++ compiler, g++ or clang++; install one or bind @replayed")
    return torch.compile(graph, dynamic=False, fullgraph=True, mode=mode)


@gin.configurable
class Traced:
    """For `GradientLearner.batching`, as an instance: `vmapped`, traced in training mode; `run` executes a trace.

    The numbers are those of one episode at a time up to rounding. The operations of the network must not depend on
    values. Learners with accumulators use `vmapped`.
    """

    def __init__(self, run: Callable[[GraphModule], TracedFunction] = replayed):
        self.run, self.traces = run, {}

    def __call__(self, learner: GradientLearner, episodes: Sequence[Episode]) -> list[Tensor]:
        untraced = learner.accumulators() or not (learner.training and torch.is_grad_enabled())
        if untraced or not stackable(learner, episodes):
            return vmapped(learner, episodes)
        columns = [torch.stack(column) for column in zip(*(e.tensors for e in episodes), strict=True)][:3]
        named = {f"learner.{name}": p for name, p in learner.named_parameters() if p.requires_grad}
        key = (id(learner), episodes[0].way, *((c.shape, c.dtype, c.device) for c in columns))
        if key not in self.traces:
            self.traces[key] = self._traces(StackedScores(learner, episodes[0]), named, columns)
        return list(TraceReplay.apply(*self.traces[key], len(named), *named.values(), *columns).unbind())

    def _traces(
        self, module: nn.Module, named: dict[str, Tensor], columns: list[Tensor]
    ) -> tuple[TracedFunction, TracedFunction]:
        """Traces of the scores, and of the gradients of (cotangent * scores).sum(), by parameters and episodes."""
        number = len(named)

        def scores(*args: Tensor) -> Tensor:
            return functional_call(module, dict(zip(named, args[:number], strict=True)), args[number:])

        def gradients(cotangent: Tensor, *args: Tensor) -> Sequence[Tensor]:
            live = [tensor.detach().requires_grad_() for tensor in args[:number]]
            with torch.enable_grad():
                value = scores(*live, *args[number:])
            return torch.autograd.grad(value, live, cotangent, materialize_grads=True)

        args = [*(parameter.detach() for parameter in named.values()), *columns]
        with torch.no_grad():
            forward, backward = make_fx(scores)(*args), make_fx(gradients)(scores(*args), *args)
        return self.run(deduplicated(forward)), self.run(deduplicated(backward))


class StackedScores(nn.Module):
    """Query scores [T, Nq, way] from stacked support images, support labels and query images."""

    def __init__(self, learner: GradientLearner, like: Episode):
        super().__init__()
        self.learner, self.like = learner, like

    def forward(self, *columns: Tensor) -> Tensor:
        stacks = zip(*columns, strict=True)
        # labels of queries are not used: any tensor stands in for them
        episodes = [self.like._replace(support_x=x, support_y=y, query_x=q, query_y=q[:, :1]) for x, y, q in stacks]
        return vmapped_scores(self.learner, episodes)


class TraceReplay(torch.autograd.Function):
    """Scores by one trace; gradients by another, which recomputes the scores."""

    @staticmethod
    def forward(ctx, scores: TracedFunction, gradients: TracedFunction, number: int, *args: Tensor) -> Tensor:
        ctx.gradients, ctx.number = gradients, number
        ctx.save_for_backward(*args)
        return scores(*args)

    @staticmethod
    def backward(ctx, cotangent: Tensor) -> tuple:
        grads = ctx.gradients(cotangent, *ctx.saved_tensors)
        return (None, None, None, *grads, *[None] * (len(ctx.saved_tensors) - ctx.number))


def deduplicated(graph: GraphModule) -> GraphModule:
    """The graph without common subexpressions and dead code."""
    graph = CSEPass()(graph).graph_module
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph
