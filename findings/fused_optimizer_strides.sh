#!/usr/bin/env bash
# torch 2.13.0: fused optimisers on a CPU read a gradient in the order of its memory, not of its indices.
#
# Natural guess: `fused=True` changes the time of a step and nothing else. Meta-learning assigns gradients by hand, as
# `w.grad = torch.autograd.grad(loss, w)[0]`, of whatever memory format they have; the unfused optimisers accept all.
# Seen: where the strides of gradient and parameter differ (a weight in channels_last with a contiguous gradient, a
# transposed matrix), SGD, Adam, AdamW and Adagrad with fused=True update the wrong entries, without a word. After
# `.backward()`, which makes gradients in the layout of their parameter, all are right.
#
# Output seen:
#   SGD: largest difference to the unfused step 4.9, with the gradient in the layout of the weight 0.0
#   (and so on for Adam, AdamW, Adagrad; 0.2, 0.2, 0.2)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
import torch

assert torch.__version__.startswith("2.13.0"), torch.__version__
torch.manual_seed(0)
start = torch.zeros(8, 4, 3, 3).to(memory_format=torch.channels_last)
gradient = torch.randn(8, 4, 3, 3)


def step(optimizer, layout, fused):
    weight = torch.nn.Parameter(start.clone())
    weight.grad = gradient.clone(memory_format=layout)
    optimizer([weight], lr=0.1 if optimizer is not torch.optim.SGD else 1.0, fused=fused).step()
    return weight.detach()


for optimizer in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.Adagrad):
    difference = {
        layout: (step(optimizer, layout, True) - step(optimizer, layout, False)).abs().max().item()
        for layout in (torch.contiguous_format, torch.channels_last)
    }
    wrong, right = difference.values()
    print(
        f"{optimizer.__name__}: largest difference to the unfused step {wrong:.1f}, "
        f"with the gradient in the layout of the weight {right:.1f}"
    )
    assert wrong > 0.1 and right < 1e-6
PY
