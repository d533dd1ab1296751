"""A function of tensors as CUDA graphs: its kernels, and those of its gradient, are launched all at once.

A network of a few small layers spends more time on telling a GPU what to do than the GPU on doing it. A graph is told
once and replayed; it does the same arithmetic at the same places in memory, which it holds for good.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd import Function
from torch.cuda import CUDAGraph

WARM_UPS = 3  # libraries choose kernels and take memory when they are first called, which no graph may hold


class Capture:
    """`function(*inputs)` [...], and its gradient by the `learned` tensors where gradients are on.

    Calls copy their inputs in; the learned tensors, and all others that `function` reads, are read where they lie now.
    What it does must not depend on values, and must happen on the GPU: nothing of Python is there in a replay.
    """

    def __init__(self, function: Callable[..., Tensor], inputs: Sequence[Tensor], learned: Sequence[Tensor]):
        self.inputs, self.learned, self.runs = [tensor.clone() for tensor in inputs], list(learned), 0
        with beside(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The AccumulateGrad node's stream")  # several streams meet there
            for _ in range(WARM_UPS):  # of which nothing may stay: autograd would tie the graph to this stream
                self._gradients(function(*self.inputs))
        self.forward, self.backward = CUDAGraph(), CUDAGraph()
        with into(self.forward):
            output = function(*self.inputs)
        self.output, self.cotangent = output.detach(), torch.zeros_like(output)
        if output.requires_grad:
            with into(self.backward, self.forward.pool()):
                self.grads = self._gradients(output, self.cotangent)
        else:
            self.learned = []

    def __call__(self, *inputs: Tensor) -> Tensor:
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        return Replay.apply(self, *self.learned)

    def _gradients(self, output: Tensor, cotangent: Tensor | None = None) -> Sequence[Tensor | None]:
        if not output.requires_grad:
            return ()
        cotangent = torch.ones_like(output) if cotangent is None else cotangent
        return torch.autograd.grad(output, self.learned, cotangent, allow_unused=True)


class Replay(Function):
    """One run of a capture. Its gradient is that of the last run alone: RuntimeError if there was one since."""

    @staticmethod
    def forward(ctx, capture: Capture, *learned: Tensor) -> Tensor:
        capture.forward.replay()
        capture.runs += 1
        ctx.capture, ctx.run = capture, capture.runs
        return capture.output.clone()

    @staticmethod
    def backward(ctx, cotangent: Tensor) -> tuple:
        capture = ctx.capture
        if ctx.run != capture.runs:
            raise RuntimeError("a CUDA graph has run again before the gradient of its last run was taken")
        capture.cotangent.copy_(cotangent)
        capture.backward.replay()
        return None, *(grad if grad is None else grad.clone() for grad in capture.grads)


@contextmanager
def into(graph: CUDAGraph, pool: tuple[int, int] | None = None) -> Iterator[None]:
    """Inside, kernels go into `graph` instead of the GPU; other threads, such as a prefetcher's, may use the GPU."""
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        yield


@contextmanager
def beside() -> Iterator[None]:
    """Inside, work goes to a stream of its own, as it does in a capture."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)
