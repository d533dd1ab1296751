#!/usr/bin/env bash
# torch 2.13.0: on the CPU, attention has no second derivative unless the math kernel is chosen in the FORWARD pass.
#
# Natural guesses: fused ("flash") attention is a GPU matter and not taken in float64 on a CPU; and wrapping the outer
# backward() of MAML in sdpa_kernel(MATH) is enough for second order, as it is there that second derivatives are taken.
# Seen: scaled_dot_product_attention takes the fused CPU kernel in float64 too, whose double backward is not implemented;
# choosing the math kernel around the outer backward changes nothing; around the forward of the inner loss it works, and
# the outer backward may then run outside.
#
# Output seen:
#   float64, no choice: derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented
#   math around the outer backward: derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented
#   math around the inner forward: ok
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

assert torch.__version__.startswith("2.13.0"), torch.__version__


def outcome(inner, outer):
    """One second-order step of a query projection: inner gradient with its graph, then the outer gradient."""
    torch.manual_seed(0)
    x, w = torch.randn(1, 1, 4, 8, dtype=torch.float64), torch.randn(8, 8, dtype=torch.float64, requires_grad=True)
    with inner():
        loss = F.scaled_dot_product_attention(x @ w, x, x).square().sum()
        (grad,) = torch.autograd.grad(loss, w, create_graph=True)
    try:
        with outer():
            grad.square().sum().backward()
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return "ok"


def math():
    return sdpa_kernel(SDPBackend.MATH)


found = [outcome(nullcontext, nullcontext), outcome(nullcontext, math), outcome(math, nullcontext)]
refused = "derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented"
for name, text in zip(("float64, no choice", "math around the outer backward", "math around the inner forward"), found):
    print(f"{name}: {text}")
assert found == [refused, refused, "ok"], "the behaviour has changed"
PY
