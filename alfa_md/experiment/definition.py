"""What a gin file defines: a learner, and the sources it is trained, validated and tested on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gin
import torch

from alfa_md.data.mixture import Mixture
from alfa_md.data.roots import Root, records_root
from alfa_md.data.sampling import Sampling
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner

# The order in which Meta-Dataset's evaluation goes through the sources and its leaderboard lists them.
META_DATASET = (
    "ilsvrc_2012",
    "omniglot",
    "aircraft",
    "cu_birds",
    "dtd",
    "quickdraw",
    "fungi",
    "vgg_flower",
    "traffic_sign",
    "mscoco",
)

Reader = Callable[[Path, str, str, Any, int], EpisodeSource]  # (root, source name, split, sampling, seed)
Batches = Callable[[Path, Sequence[str], int], EpisodeSource]  # (root, source names, seed)
FindRoot = Callable[[str | None, dict | None], Root]  # (--records_root_dir, the facts of an earlier run)


@gin.configurable
class Experiment:
    """A learner and its data.

    Args:
      learner: what is trained and tested.
      reader: opens one source below the root.
      train_sources, validation_sources, test_sources: names of sources; several are mixed uniformly by episode.
      train_sampling: ways and shots of training episodes (by default as `sampling`); a frozen dataclass that the
        reader knows: Sampling, FixedWay, Points.
      sampling: ways and shots of validation and test episodes.
      batches: trains on batches over all training classes of the sources, in place of episodes.
      pretrained: where the backbone starts: None for scratch; the folder of a run or a checkpoint file; or the gin
        file(s) of a pretraining that is run first.
      root: where the data is: `records_root`, `images_root` or `no_root`.
    """

    def __init__(
        self,
        learner: Learner = gin.REQUIRED,
        reader: Reader = gin.REQUIRED,
        train_sources: Sequence[str] = gin.REQUIRED,
        validation_sources: Sequence[str] = gin.REQUIRED,
        test_sources: Sequence[str] = META_DATASET,
        train_sampling: Any = None,
        sampling: Any = None,
        batches: Batches | None = None,
        pretrained: str | Sequence[str] | None = None,
        root: FindRoot = records_root,
    ):
        self.learner, self.reader = learner, reader
        self.train_sources, self.validation_sources = tuple(train_sources), tuple(validation_sources)
        self.test_sources = tuple(test_sources)
        self.sampling = sampling or Sampling()
        self.train_sampling = train_sampling or self.sampling
        self.batches, self.pretrained, self.root = batches, pretrained, root
        if len(self.train_sources) > 1 and getattr(self.train_sampling, "ignore_hierarchy_probability", 0) > 0:
            raise UserError("Sampling.ignore_hierarchy_probability > 0 is for one training source; several are bound")

    def training(self, root: Path, seed: int) -> EpisodeSource:
        """The meta-training episodes, or the batches of a pretraining."""
        if self.batches:
            return self.batches(root, self.train_sources, seed)
        return mixed([self.reader(root, name, "train", self.train_sampling, seed) for name in self.train_sources], seed)

    def validation(self, root: Path, seed: int) -> EpisodeSource:
        """The episodes by which the best checkpoint is chosen."""
        return mixed([self.evaluation(root, name, "valid", seed) for name in self.validation_sources], seed)

    def evaluation(self, root: Path, name: str, split: str, seed: int) -> EpisodeSource:
        """The episodes of one source and split."""
        return self.reader(root, name, split, self.sampling, seed)


def build(seed: int) -> Experiment:
    """The experiment that gin is configured for; `seed` draws the initial weights."""
    torch.manual_seed(seed)
    return Experiment()


def mixed(sources: Sequence[EpisodeSource], seed: int) -> EpisodeSource:
    """A uniform mixture by episode, or the source itself where there is only one."""
    return sources[0] if len(sources) == 1 else Mixture(sources, seed)
