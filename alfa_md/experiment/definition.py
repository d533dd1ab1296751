"""The experiment that a gin file defines: a learner and its training, validation and test sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import gin
import torch

from alfa_md.data.mixture import Mixture
from alfa_md.data.roots import Root, records_root
from alfa_md.data.sampling import Sampling
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.experiment.inlined_models import inline_models
from alfa_md.experiment.out_of_memory import explain_too_large
from alfa_md.learners.base import Learner
from alfa_md.values import Share

# In the order of Meta-Dataset's evaluation and leaderboard.
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

# Meta-Dataset v2, a part of VTAB+MD (Dumoulin et al., NeurIPS 2021): ImageNet is for training alone, and the flowers
# belong to VTAB.
MD_V2 = tuple(name for name in META_DATASET if name not in ("ilsvrc_2012", "vgg_flower"))

# The table of CNAPs (Requeima et al., NeurIPS 2019) and later papers: three more sources, in testing alone.
ALL_13 = (*META_DATASET, "mnist", "cifar10", "cifar100")

Reader = Callable[[Path, str, str, Any, int], EpisodeSource]  # (root, source name, split, sampling, seed)
Batches = Callable[[Path, Sequence[str], int], EpisodeSource]  # (root, source names, seed)
FindRoot = Callable[[str | None, dict | None], Root]  # (--records_root_dir, the facts of an earlier run)


@gin.configurable
class Experiment:
    """A learner and its data.

    Args:
      learner: the learner to train and test.
      reader: opens one source below the root.
      train_sources, validation_sources, test_sources: names of sources; in training and validation, several are mixed
        uniformly by episode.
      train_sampling: ways and shots of training episodes (default: `sampling`); a frozen dataclass supported by the
        reader: Sampling, FixedWay, Points.
      sampling: ways and shots of validation and test episodes.
      batches: opens batches over all training classes of the sources, to train on instead of episodes.
      pretrained: initial weights of the backbone: None for random ones; the folder of a run or a checkpoint file;
        weights of another library, as a file or the folder of a model of transformers, or `hf:OWNER/NAME`; or the gin
        file(s) of a pretraining that is run first. The configuration of a model, a dictionary, has random ones.
      pretrained_share: least share of the backbone's values that weights of another library must give.
      root: finds the data: `records_root`, `images_root` or `no_root`.
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
        pretrained: str | Sequence[str] | Mapping | None = None,
        pretrained_share: Share = 0.9,
        root: FindRoot = records_root,
    ):
        self.learner, self.reader = learner, reader
        self.train_sources, self.validation_sources = tuple(train_sources), tuple(validation_sources)
        self.test_sources = tuple(test_sources)
        for name in ("train_sources", "validation_sources", "test_sources"):
            if not getattr(self, name):
                raise UserError(f"Experiment.{name} = () names no source; give one or more")
            for source in getattr(self, name):
                refuse_path(source)
        for name, value in {"sampling": sampling, "train_sampling": train_sampling}.items():
            if value is not None and (isinstance(value, type) or not is_dataclass(value)):
                raise UserError(f"Experiment.{name} = {value!r} must be ways and shots, such as @Sampling()")
        self.sampling = Sampling() if sampling is None else sampling
        self.train_sampling = self.sampling if train_sampling is None else train_sampling
        self.batches, self.root = batches, root
        self.pretrained, self.pretrained_share = pretrained, pretrained_share
        if len(self.train_sources) > 1 and getattr(self.train_sampling, "ignore_hierarchy_probability", 0) > 0:
            raise UserError("Sampling.ignore_hierarchy_probability > 0 is for one training source; several are bound")

    def training(self, root: Path, seed: int) -> EpisodeSource:
        """The meta-training episodes, or the batches of a pretraining."""
        if self.batches:
            return self.batches(root, self.train_sources, seed)
        return mix([self.reader(root, name, "train", self.train_sampling, seed) for name in self.train_sources], seed)

    def validation(self, root: Path, seed: int) -> EpisodeSource:
        """The episodes for selecting the best checkpoint."""
        return mix([self.evaluation(root, name, "valid", seed) for name in self.validation_sources], seed)

    def evaluation(self, root: Path, name: str, split: str, seed: int) -> EpisodeSource:
        """The episodes of one source and split. Raises UserError for a name that may lead out of the root."""
        refuse_path(name)
        return self.reader(root, name, split, self.sampling, seed)


def refuse_path(source: str) -> None:
    """Raises UserError for a source name that is no single folder below the root, as `..` or `a/b`."""
    if source in ("", ".", "..") or "/" in source:
        raise UserError(f"source {source!r} is not the name of a folder in the data root; give its name alone")


def build_experiment(seed: int) -> Experiment:
    """Builds the experiment of the current gin configuration; `seed` is that of the initial weights."""
    torch.manual_seed(seed)
    with explain_too_large():
        inline_models()
        return Experiment()


def mix(sources: Sequence[EpisodeSource], seed: int) -> EpisodeSource:
    """A uniform mixture by episode of several sources; a single source is returned unchanged."""
    return sources[0] if len(sources) == 1 else Mixture(sources, seed)
