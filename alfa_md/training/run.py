"""A training run from gin files: data, pretraining where it is asked for, then the outer loop in the run directory."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from alfa_md.data.roots import announcement
from alfa_md.experiment import config, definition, pretraining
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.progress import CONSOLE
from alfa_md.training.hooks import spelt
from alfa_md.training.loop import train


class Options(NamedTuple):
    """What the flags of `python -m alfa_md.train` ask for."""

    name: str
    files: Sequence[str]
    bindings: Sequence[str]
    records_root_dir: str | None
    seed: int
    device: torch.device


def train_run(run: RunDirectory, options: Options, group: ProcessGroup = SINGLE_PROCESS) -> None:
    """Trains what the gin files and bindings define, or goes on with it, and says where the run directory is."""
    config.parse(options.files, options.bindings)
    built = definition.build(options.seed)
    root = built.root(options.records_root_dir, None)
    CONSOLE.print(announcement(root))
    facts = {"name": options.name, "seed": options.seed, "data_root": str(root.path), "data_kind": root.kind}

    def pretrain(files: Sequence[str], folder: RunDirectory) -> None:
        CONSOLE.print(f"Pretraining by {', '.join(files)} in {folder.path}")
        config.parse(files)
        own = {"name": f"{options.name} pretraining", "pretrained": pretraining.SCRATCH}
        train(definition.build(options.seed), folder, root.path, facts | own, options.device, group)

    begun = group.broadcast(run.last.exists() or run.previous.exists())  # its checkpoints hold the backbone
    if begun:
        file = None
    else:
        file = pretraining.checkpoint(built.pretrained, run, pretrain)
        config.parse(options.files, options.bindings)  # the pretraining has had a configuration of its own
        built = definition.build(options.seed)
    start = pretraining.start(built.learner, file)
    facts["pretrained"] = run.facts().get("pretrained") if begun else start
    CONSOLE.print(f"Pretrained: {facts['pretrained']}")
    state = train(built, run, root.path, facts, options.device, group)
    unit = built.learner.objective.unit
    best = spelt(unit.number(state.best), unit)
    CONSOLE.print(f"{state.step} updates done; best validation {unit.name} {best}")
    CONSOLE.print(f"Run directory: {run.path}")
