#!/usr/bin/env bash
# torch 2.13.0: torch.compile makes the backward pass of max pooling several times slower on a CPU, for channels_last.
#
# Natural guess: a compiled pooling is at worst as fast as PyTorch's own, since inductor writes a vectorised loop for the
# very shape; episodes of many sizes are what dynamic=True is for.
# Seen: for feature maps [16, 64, 42, 42] in channels_last, the layout that convolutions want, the compiled gradient of
# max_pool2d takes 2.5 to 4 times as long as the eager one, with dynamic=True 7 to 9 times; the numbers are equal. A
# four-layer network whose blocks are compiled so is half as fast as without. (For contiguous maps of fixed shape the
# compiled gradient is the faster one.) Needs a C++ compiler.
#
# Output seen (CPU time of a backward pass in ms, median of 12, one thread of an Intel Xeon):
#   eager 2.2, compiled 9.2, compiled with dynamic=True 15.9
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
import statistics
import time

import torch
import torch.nn.functional as F

assert torch.__version__.startswith("2.13.0"), torch.__version__
torch.set_num_threads(1)


def pool(y):
    return F.max_pool2d(y, 2)


def milliseconds(function):
    y = torch.randn(16, 64, 42, 42, generator=torch.Generator().manual_seed(0))
    y = y.to(memory_format=torch.channels_last).requires_grad_()
    times = []
    for _ in range(15):
        z = function(y)
        start = time.process_time()
        (dy,) = torch.autograd.grad(z, y, torch.ones_like(z))
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times[3:]), dy


eager, expected = milliseconds(pool)
compiled, static = milliseconds(torch.compile(pool, dynamic=False))
dynamic, general = milliseconds(torch.compile(pool, dynamic=True))
print(f"eager {eager:.1f}, compiled {compiled:.1f}, compiled with dynamic=True {dynamic:.1f}")
assert torch.equal(static, expected) and torch.equal(general, expected)
assert compiled > 1.5 * eager and dynamic > 3 * eager
PY
