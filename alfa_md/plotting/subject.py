"""What a figure of one run is about: its learner with trained weights, and a source of episodes."""

from typing import NamedTuple

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner


class Options(NamedTuple):
    """Which run, which of its checkpoints, and which episodes; the source is by default the first test source."""

    run: RunDirectory
    checkpoint: str
    source: str | None
    split: str
    seed: int
    records_root_dir: str | None
    device: torch.device


class Subject(NamedTuple):
    """A learner in evaluation mode on its device, and the episodes that it is shown with."""

    name: str
    learner: Learner
    source: EpisodeSource
    device: torch.device

    def episode(self, index: int) -> Episode:
        """An episode, where the learner is."""
        return self.source.episode(index).to(self.device)


def load(options: Options) -> Subject:
    """The subject of these options. Raises UserError where run, checkpoint or data are missing or do not fit."""
    facts = options.run.facts()
    config.parse([str(options.run.config)])
    trained = definition.build_experiment(facts["seed"])
    load_learner(trained.learner, options.run.checkpoint(options.checkpoint))
    root = trained.root(options.records_root_dir, facts)
    name = options.source or trained.test_sources[0]
    source = trained.evaluation(root.path, name, options.split, options.seed)
    return Subject(facts["name"], trained.learner.eval().to(options.device), source, options.device)
