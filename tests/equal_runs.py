"""Comparison of two runs bit for bit, except for their costs."""

import json

import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory

COSTS = {"seconds", "cpu_seconds", "data_wait", "peak_memory"}  # differ from run to run


def curves(run: RunDirectory) -> list[dict]:
    records = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [{key: value for key, value in record.items() if key not in COSTS} for record in records]


def without_spent(content: dict) -> dict:
    return {key: value for key, value in content.items() if key != "spent"}


def assert_equal_content(a, b):
    """Asserts equal checkpoints: tensors bit for bit, and all other values."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_equal_content(a[key], b[key])
    elif isinstance(a, list):
        for x, y in zip(a, b, strict=True):
            assert_equal_content(x, y)
    else:
        assert a == b


def assert_equal_runs(a: RunDirectory, b: RunDirectory) -> None:
    """Asserts the same last and best checkpoints, and the same metrics without duplicate records."""
    for name in ("last", "best"):
        one, other = (load_checkpoint(getattr(run, name)) for run in (a, b))
        assert_equal_content(without_spent(one), without_spent(other))
    assert curves(a) == curves(b)
    assert a.ranking.read_text() == b.ranking.read_text()
    assert sorted(path.name for path in a.top.iterdir()) == sorted(path.name for path in b.top.iterdir())
    for one, other in zip(a.ensemble_checkpoints(), b.ensemble_checkpoints(), strict=True):
        assert_equal_content(load_checkpoint(one), load_checkpoint(other))
