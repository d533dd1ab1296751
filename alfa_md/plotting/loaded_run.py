"""Loading of a run for figures: its learner with trained weights, and a source of episodes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment.open_run import open_run
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner


class FigureOptions(NamedTuple):
    """Run, checkpoint and episodes of a figure; the default source is the first test source."""

    run: RunDirectory
    checkpoint: str
    source: str | None
    split: str
    seed: int
    records_root_dir: str | None
    device: torch.device
    trust: Sequence[str] = ()  # modules that the run's configuration may import


class LoadedRun(NamedTuple):
    """A trained learner in evaluation mode on its device, and a source of episodes."""

    name: str
    learner: Learner
    source: EpisodeSource
    device: torch.device

    def episode(self, index: int) -> Episode:
        """An episode on the learner's device."""
        return self.source.episode(index).to(self.device)


def load_run(options: FigureOptions) -> LoadedRun:
    """Loads the learner and opens the source. Raises UserError if run, checkpoint or data are missing or invalid."""
    opened = open_run(options.run, options.checkpoint, options.records_root_dir, trust=options.trust)
    source = opened.source(options.source, options.split, options.seed)
    return LoadedRun(opened.facts["name"], opened.learner.to(options.device), source, options.device)
