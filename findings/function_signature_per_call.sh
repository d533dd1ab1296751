#!/usr/bin/env bash
# torch 2.13.0: an autograd Function that splits `forward` and `setup_context` has its signature inspected at every call.
#
# Natural guess: the two styles of torch.autograd.Function, `forward(ctx, x)` and `forward(x)` with `setup_context`, cost
# the same, since the class does not change between calls. The second is the one that torch.func and vmap ask for.
# Seen: `apply` calls inspect.signature(forward) each time to bind defaults. Setting `forward.__signature__` once takes
# a third off. It matters where kernels are small: gradients of gradients of a four-layer network make some 230 such calls.
#
# Output seen (one core of an x86_64 processor; times vary):
#   signatures inspected in 1000 calls: ctx style 0, setup_context style 1000, with __signature__ 0 parsed
#   microseconds a call: ctx style 7.6, setup_context style 19.8, with __signature__ 14.0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
import inspect
import timeit

import torch

assert torch.__version__.startswith("2.13.0"), torch.__version__


class CtxStyle(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, dy):
        return dy * 2


class SetupStyle(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x * 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, dy):
        return dy * 2


class Signed(SetupStyle):
    @staticmethod
    def forward(x):
        return x * 2


Signed.forward.__signature__ = inspect.signature(Signed.forward)

parsed = [0]
original = inspect._signature_from_function


def counting(*arguments, **options):
    parsed[0] += 1
    return original(*arguments, **options)


inspect._signature_from_function = counting
x, counts = torch.ones(2, requires_grad=True), []
for function in (CtxStyle, SetupStyle, Signed):
    parsed[0] = 0
    for _ in range(1000):
        function.apply(x)
    counts.append(parsed[0])
inspect._signature_from_function = original
times = [min(timeit.repeat(lambda: f.apply(x), number=5000, repeat=5)) / 5000 * 1e6 for f in (CtxStyle, SetupStyle, Signed)]
print(f"signatures inspected in 1000 calls: ctx style {counts[0]}, setup_context style {counts[1]}, with __signature__ {counts[2]} parsed")
print("microseconds a call: ctx style {:.1f}, setup_context style {:.1f}, with __signature__ {:.1f}".format(*times))
assert counts == [0, 1000, 0], "the behaviour has changed"
assert times[1] > 1.3 * times[2] > 1.3 * times[0], "the costs have changed"
PY
