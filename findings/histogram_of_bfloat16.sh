#!/usr/bin/env bash
# torch 2.13.0 with tensorboard 2.21.0: a histogram of bfloat16 values loses those above 65 504, and its sum is infinite.
#
# Natural guess: `SummaryWriter.add_histogram` draws a bfloat16 tensor as it draws the same values in float32, since both
# types reach 3e38 and histograms are computed in float64.
# Seen: bfloat16 becomes float16 on the way to NumPy, whose largest number is 65 504. Larger values become infinite: they
# are in no bucket, and the largest value and the sum are written as inf, without a word. Gradients of a scaled loss
# reach that.
#
# Output seen:
#   float32: 2 of 2 values in buckets, largest 100000
#   bfloat16: 1 of 2 values in buckets, largest inf
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet torch==2.13.0 tensorboard==2.21.0 numpy
cd "$work"
"$work/venv/bin/python" - <<'PY'
from pathlib import Path

import torch
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from torch.utils.tensorboard import SummaryWriter

assert torch.__version__.startswith("2.13.0"), torch.__version__
values, seen = torch.tensor([1e5, 0.5]), []
for kind in (torch.float32, torch.bfloat16):
    name = str(kind).removeprefix("torch.")
    assert values.to(kind).isfinite().all()
    with SummaryWriter(name) as writer:
        writer.add_histogram("gradients", values.to(kind), 1)
    (file,) = Path(name).iterdir()
    events = LegacyEventFileLoader(str(file)).Load()
    (drawn,) = [value.histo for event in events for value in event.summary.value]
    seen.append((int(sum(drawn.bucket)), drawn.max))
    print(f"{name}: {seen[-1][0]} of 2 values in buckets, largest {drawn.max:g}")
assert seen == [(2, 1e5), (1, float("inf"))], "the behaviour has changed"
PY
