"""Capture of a function of tensors, and of its gradient, as CUDA graphs.

A network of a few small layers is launch-bound. A graph is captured once and launched as a whole; it computes the same
kernels at the same memory addresses, which it keeps.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd import Function
from torch.cuda import CUDAGraph

NUM_WARM_UPS = 3  # libraries select kernels and allocate memory in first calls, which must not be captured


class CapturedFunction:
    """`function(*inputs)` [...], and its gradient by the `learned` tensors where gradients are on.

    Calls copy the inputs; the learned tensors, and all others that `function` reads, are read at their addresses at
    capture. The operations must not depend on values and must run on the GPU: no Python code runs in a replay.
    """

    def __init__(self, function: Callable[..., Tensor], inputs: Sequence[Tensor], learned: Sequence[Tensor]):
        self.inputs, self.learned, self.runs = [tensor.clone() for tensor in inputs], list(learned), 0
        with on_side_stream(), warnings.catch_warnings():
            # parameters are used on several streams
            warnings.filterwarnings("ignore", message="The AccumulateGrad node's stream")
            for _ in range(NUM_WARM_UPS):  # no result is kept: its autograd graph belongs to this stream
                self._gradients(function(*self.inputs))
        self.forward, self.backward = CUDAGraph(), CUDAGraph()
        with capture_into(self.forward):
            output = function(*self.inputs)
        self.output, self.cotangent = output.detach(), torch.zeros_like(output)
        if output.requires_grad:
            with capture_into(self.backward, self.forward.pool()):
                self.grads = self._gradients(output, self.cotangent)
        else:
            self.learned = []

    def __call__(self, *inputs: Tensor) -> Tensor:
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        return GraphReplay.apply(self, *self.learned)

    def _gradients(self, output: Tensor, cotangent: Tensor | None = None) -> Sequence[Tensor | None]:
        if not output.requires_grad:
            return ()
        cotangent = torch.ones_like(output) if cotangent is None else cotangent
        return torch.autograd.grad(output, self.learned, cotangent, allow_unused=True)


class GraphReplay(Function):
    """One replay of a captured function. Raises RuntimeError in backward if it was replayed again since."""

    @staticmethod
    def forward(ctx, capture: CapturedFunction, *learned: Tensor) -> Tensor:
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
def capture_into(graph: CUDAGraph, pool: tuple[int, int] | None = None) -> Iterator[None]:
    """Inside, kernels are captured into `graph`; other threads, such as a prefetcher's, may use the GPU."""
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        yield


@contextmanager
def on_side_stream() -> Iterator[None]:
    """Inside, kernels run on a new stream, as they do in a capture."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)
