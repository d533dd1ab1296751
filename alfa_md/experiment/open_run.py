"""Opening of a trained run: its experiment and its learner with trained weights, for commands and notebooks."""

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypedDict

import torch

from alfa_md.data.roots import Root
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.predict import find_pictures, predict_pictures
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.prediction.predictions import Predictions
from alfa_md.system.device import device_of


class Facts(TypedDict, total=False):
    """The content of run.json. Runs of older versions lack `data`, `pretrained` and the machine's facts.

    `data` has the digests of the data's files by "source split"; `sizes` is there if the run is small.
    """

    name: str
    seed: int
    data_root: str
    data_kind: str
    data: dict[str, str]
    pretrained: str
    sizes: str
    command: str
    alfa_md: str
    torch: str
    python: str
    threads: int
    machine: str


class OpenedRun:
    """A run directory with the experiment that its configuration defines.

    Attributes:
      directory: the run directory.
      facts: content of run.json: name, seed, data, versions.
      experiment: learner and sources.
      updates, hash: of the weights: their outer updates, and the hash of their file; 0 and "" for initial weights.
    """

    def __init__(
        self,
        directory: RunDirectory,
        records_root_dir: str | None,
        gin_bindings: Sequence[str],
        trust: Collection[str] = (),
    ):
        self.directory, self.updates, self.hash = directory, 0, ""
        self.facts: Facts = directory.facts()
        self._records_root_dir = records_root_dir
        config.parse([str(directory.config)], gin_bindings, trusted=trust)
        self.experiment = definition.build_experiment(self.facts["seed"])

    @property
    def learner(self) -> Learner:
        """The learner, in evaluation mode unless changed."""
        return self.experiment.learner

    @property
    def device(self) -> torch.device:
        """The device of the learner."""
        return device_of(self.learner)

    @cached_property
    def root(self) -> Root:
        """The folder of the data. Raises UserError if it is missing."""
        return self.experiment.root(self._records_root_dir, self.facts)

    def load(self, checkpoint: str) -> "OpenedRun":
        """Loads `best`, `last` or a file. Raises UserError if it is missing, damaged or of another learner."""
        self.updates, self.hash = load_learner(self.learner, self.directory.checkpoint(checkpoint))
        return self

    def episode(self, index: int, source: str | None = None, split: str = "test", seed: int = 0) -> Episode:
        """Episode `index` of a source as the learner takes it: normalised float images, on its device."""
        return self.source(source, split, seed).episode(index).to(self.device)

    def predict(
        self, support: str | Path, query: str | Path, calibrate: bool = False, skip_unreadable: bool = False
    ) -> Predictions:
        """Adapts to labelled pictures and predicts others, which are read while the result is iterated over.

        `support` is a folder with one folder of pictures a class, or a CSV file with the columns file and class;
        `query` a folder of pictures, at any depth, or a picture. `calibrate` fits the temperature of the probabilities
        by leave-one-out on the support set. Raises UserError as `python -m alfa_md.predict` does.
        """
        return predict_pictures(self.experiment, find_pictures(support, query), calibrate, skip_unreadable)

    def source(self, name: str | None = None, split: str = "test", seed: int = 0) -> EpisodeSource:
        """The episodes of a source, by default of the first test source, as `alfa_md.evaluate` draws them."""
        return self.experiment.evaluation(self.root.path, name or self.experiment.test_sources[0], split, seed)


def open_run(
    path: str | Path | RunDirectory,
    checkpoint: str | None = "best",
    records_root_dir: str | None = None,
    gin_bindings: Sequence[str] = (),
    trust: Collection[str] = (),
) -> OpenedRun:
    """Opens a run directory, or an exported run, and loads its weights.

    Its configuration, with `gin_bindings` on top, becomes the gin configuration of this process. `checkpoint` is
    `best`, `last`, a file, or None for initial weights; `records_root_dir` is where the data is, by default as in
    training; `trust` names the modules that its configuration may import besides this package. Raises UserError if
    something is missing, does not fit or is not trusted.
    """
    directory = path if isinstance(path, RunDirectory) else RunDirectory(path)
    opened = OpenedRun(directory, records_root_dir, gin_bindings, trust)
    opened.learner.eval()
    return opened.load(checkpoint) if checkpoint else opened
