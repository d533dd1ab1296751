"""Options of an evaluation, and the stamp of the conditions under which it scores a learner."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import torch

from alfa_md.data.roots import Root
from alfa_md.experiment.definition import Experiment
from alfa_md.learners.base import Learner


class EvaluationOptions(NamedTuple):
    """The flags of `python -m alfa_md.evaluate`."""

    checkpoint: str
    sources: Sequence[str]
    num_episodes: int
    split: str
    baselines: Sequence[str]
    records_root_dir: str | None
    seed: int
    device: torch.device
    query_std: bool = False
    gin_bindings: Sequence[str] = ()  # override the run's configuration
    name: str = ""  # of the results under these bindings
    trust: Sequence[str] = ()  # modules that the run's configuration may import
    grid: Sequence[str] = ()  # NAME=VALUE,VALUE: hyperparameters that are chosen
    choose_on: str = "valid"  # split on which they are
    choose_episodes: int = 100  # per source


def evaluation_protocol(learner: Learner, trained: Experiment, root: Root, options: EvaluationOptions) -> dict:
    """The stamp of everything but the source that scores depend on, as plain values, with their unit."""
    conditions = {
        "split": options.split,
        "seed": options.seed,
        "device": options.device.type,
        "sampling": asdict(trained.sampling),
        "unit": learner.objective.unit.name,
    }
    return conditions | {"data_root": str(root.path), "data_kind": root.kind} | learner.stamp()
