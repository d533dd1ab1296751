"""A training run from gin files: opens the data, pretrains if configured, then runs the outer loop."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from alfa_md.data.roots import announcement
from alfa_md.experiment import config, definition, pretraining
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.progress import CONSOLE
from alfa_md.training.hooks import with_unit
from alfa_md.training.loop import train


class TrainingOptions(NamedTuple):
    """The flags of `python -m alfa_md.train`."""

    name: str
    files: Sequence[str]
    bindings: Sequence[str]
    records_root_dir: str | None
    seed: int
    device: torch.device


def train_run(run: RunDirectory, options: TrainingOptions, group: ProcessGroup = SINGLE_PROCESS) -> None:
    """Trains, or resumes, the experiment that the gin files and bindings define, and prints its best validation."""
    config.parse(options.files, options.bindings)
    built = definition.build_experiment(options.seed)
    root = built.root(options.records_root_dir, None)
    CONSOLE.print(announcement(root))
    facts = {"name": options.name, "seed": options.seed, "data_root": str(root.path), "data_kind": root.kind}

    def pretrain(files: Sequence[str], folder: RunDirectory) -> None:
        CONSOLE.print(f"Pretraining by {', '.join(files)} in {folder.path}")
        config.parse(files)
        own = {"name": f"{options.name} pretraining", "pretrained": pretraining.SCRATCH}
        train(definition.build_experiment(options.seed), folder, root.path, facts | own, options.device, group)

    resumed = group.broadcast(run.last.exists() or run.previous.exists())  # whose checkpoint holds the backbone
    if resumed:
        file = None
    else:
        file = pretraining.resolve_checkpoint(built.pretrained, run, pretrain)
        config.parse(options.files, options.bindings)  # the pretraining has parsed another configuration
        built = definition.build_experiment(options.seed)
    start = pretraining.load_pretrained(built.learner, file)
    facts["pretrained"] = run.facts().get("pretrained") if resumed else start
    CONSOLE.print(f"Pretrained: {facts['pretrained']}")
    state = train(built, run, root.path, facts, options.device, group)
    unit = built.learner.objective.unit
    best = with_unit(unit.number(state.best), unit)
    CONSOLE.print(f"{state.step} updates done; best validation {unit.name} {best}")
    CONSOLE.print(f"Run directory: {run.path}")
