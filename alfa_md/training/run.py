"""A training run from gin files: opens the data, pretrains if configured, then runs the outer loop."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from alfa_md.data.roots import announcement
from alfa_md.errors import UserError
from alfa_md.experiment import config, definition, pretraining
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.experiment.small_sizes import FOR_WANT_OF_RECORDS, announce, choose_sizes
from alfa_md.experiment.torch_archive import DamagedCheckpoint
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
    """Trains, or resumes, the experiment that the gin files and bindings define, and prints its best validation.

    Without records a new run is small, see `experiment.small_sizes`.
    """
    config.parse(options.files, options.bindings)
    built = definition.build_experiment(options.seed)
    root = built.root(options.records_root_dir, None)
    CONSOLE.print(announcement(root))
    sizes = choose_sizes(run, root, options.files, options.bindings)
    small = announce(options.files, options.bindings, options.seed) if sizes is FOR_WANT_OF_RECORDS else ""
    if small:
        CONSOLE.print(small)
    name = f"{options.name}+small" if small else options.name
    facts = {"name": name, "seed": options.seed, "data_root": str(root.path), "data_kind": root.kind} | sizes.facts

    def build() -> definition.Experiment:
        sizes.parse(options.files, options.bindings)
        return definition.build_experiment(options.seed)

    def pretrain(files: Sequence[str], folder: RunDirectory) -> None:
        CONSOLE.print(f"Pretraining by {', '.join(files)} in {folder.path}")
        sizes.parse(files, ())
        own = {"name": f"{name} pretraining", "pretrained": pretraining.SCRATCH}
        train(definition.build_experiment(options.seed), folder, root.path, facts | own, options.device, group)

    resumed = group.broadcast(run.last.exists() or run.previous.exists())  # whose checkpoint holds the backbone
    file = None if resumed else pretraining.resolve_checkpoint(built.pretrained, run, pretrain)
    built = build()  # the pretraining has parsed another configuration
    try:
        start = pretraining.load_pretrained(built.learner, file, built.pretrained_share)
    except UserError as error:
        if not small or isinstance(error, DamagedCheckpoint):
            raise
        CONSOLE.print(f"{error}; this small run starts from scratch")
        built, start = build(), pretraining.Start(pretraining.SCRATCH)
    facts["pretrained"] = run.facts().get("pretrained") if resumed else start.stamp
    CONSOLE.print(f"Pretrained: {facts['pretrained']}")
    if start.report:
        facts["pretrained_keys"] = start.report.facts()
        CONSOLE.print("\n".join(start.report.lines()))
    state = train(built, run, root.path, facts, options.device, group, options.bindings)
    unit = built.learner.objective.unit
    best = with_unit(unit.number(state.best), unit)
    CONSOLE.print(f"{state.step} updates done; best validation {unit.name} {best}")
    CONSOLE.print(f"Run directory: {run.path}")
    if small:
        CONSOLE.print(small)
