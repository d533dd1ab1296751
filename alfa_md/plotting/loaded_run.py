"""Loading of a run for figures: its learner with trained weights, and a source of episodes."""

from typing import NamedTuple

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_learner
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
    facts = options.run.facts()
    config.parse([str(options.run.config)])
    trained = definition.build_experiment(facts["seed"])
    load_learner(trained.learner, options.run.checkpoint(options.checkpoint))
    root = trained.root(options.records_root_dir, facts)
    name = options.source or trained.test_sources[0]
    source = trained.evaluation(root.path, name, options.split, options.seed)
    return LoadedRun(facts["name"], trained.learner.eval().to(options.device), source, options.device)
