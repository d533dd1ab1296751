"""Episodes and batches of the official Meta-Dataset reader itself, as PyTorch tensors.

Needs a checkout of `google-research/meta-dataset` (third_party/README.md). Its pipeline is left as it is: files,
sampler, shuffling within windows of 1000 records, decoding, and its own data_config.gin, parsed by a gin of its own.
Two things are told to it: the image size, and the `Sampling` of a run, whose fields are the arguments of the official
EpisodeDescriptionConfig. So a gin binding of `Sampling` holds for both readers, and a run's config.gin names nothing
of the official package. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import gin
import torch
from torch import Tensor

from alfa_md.data.sampling import EpisodeSampler, Sampling, stable_rng
from alfa_md.data.spec import BiLevelSpec, DatasetSpec, HierarchicalSpec, load_spec
from alfa_md.data.tfrecord.bridge import images_to_torch
from alfa_md.data.tfrecord.official_package import find_checkout, load_package
from alfa_md.data.tfrecord.record_files import spec_fingerprint
from alfa_md.data.tfrecord.stream import Stream
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError, require_at_least

BLOCK = 64  # more than the threads that may ask for the first episode, each with a number of its own
_sampler_lock = Lock()  # the package has one generator for all its samplers


@gin.configurable
def official(
    root: Path, name: str, split: str, sampling: Sampling, seed: int, image_size: int = gin.REQUIRED
) -> "OfficialSource":
    """The episodes of source `name` under `root`, of image_size x image_size pixels, by the official reader.

    Raises UserError where the package, TensorFlow or the spec is missing, or `sampling` asks for what cannot be met.
    """
    return OfficialSource(load_spec(root / name), split, sampling, seed, image_size)


@gin.configurable
def official_batches(
    root: Path, names: Sequence[str], seed: int, batch_size: int = 256, image_size: int = gin.REQUIRED
) -> "OfficialBatches":
    """Batches over all training classes of the sources `names` under `root`, by the official reader."""
    return OfficialBatches([load_spec(root / name) for name in names], seed, batch_size, image_size)


class OfficialSource(EpisodeSource):
    """The official reader's stream of episodes of one split.

    A stream cannot be asked for episode k: `episode(k)` gives the next one and calls it k. Its descriptions (classes,
    ways, shots) are drawn from (seed, source, split), the rank among distributed processes, and the block of 64 numbers
    that the first episode asked for is in: the same in a new process, others after a resume. Which images they get is
    drawn by TensorFlow, unseeded, as in the official programs. Hence a resumed run goes on with other episodes than an
    uninterrupted one, and two runs are not paired.
    May be called from several threads at once, each of which gets an episode of its own.
    """

    def __init__(self, spec: DatasetSpec, split: str, sampling: Sampling, seed: int, image_size: int):
        EpisodeSampler(spec, split, sampling)  # refuses what the official sampler would fail at later, or less clearly
        self.name, self.split = spec.name, split
        self._seed = seed
        self._package = package = load_package(find_checkout())
        # All fields are passed, those that are None too: their constructor requires the three that fix way and shot.
        description = package.config.EpisodeDescriptionConfig(**asdict(sampling))
        self._request = dict(
            dataset_spec=package.load_spec(spec),
            use_dag_ontology=isinstance(spec, HierarchicalSpec),
            use_bilevel_ontology=isinstance(spec, BiLevelSpec),
            split=package.learning_spec.Split[split.upper()],
            episode_descr_config=description,
            ignore_hierarchy_probability=description.ignore_hierarchy_probability,
            simclr_episode_fraction=description.simclr_episode_fraction,
            **package.read_options(image_size),
        )
        self._stream = Stream(self._make_pipeline, f"{spec.path} ({split})")
        self._stamp = {"spec": spec_fingerprint(spec), "reader": "official", "image_size": image_size}

    def episode(self, index: int) -> Episode:
        """The next episode of the stream, under the name `index`: images [N, 3, S, S], grouped by class.

        Raises UserError, naming the folder, where TensorFlow cannot read it.
        """
        (support_x, support_y, _, query_x, query_y, _), _ = self._stream.next(index)
        labels = labels_to_torch(support_y)
        return Episode(
            support_x=images_to_torch(support_x),
            support_y=labels,
            query_x=images_to_torch(query_x),
            query_y=labels_to_torch(query_y),
            way=int(labels.max()) + 1,
            source=self.name,
            split=self.split,
            seed=self._seed,
            index=index,
        )

    def stamp(self) -> dict:
        """What the episodes depend on besides their name."""
        return self._stamp

    def _make_pipeline(self, index: int) -> Any:
        """The pipeline of a stream that begins with episode `index`, or one near it: threads do not queue."""
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        with _sampler_lock:
            # The official sampler takes its seed from this generator of its module when it is made.
            self._package.sampling.RNG = stable_rng(self._seed, self.name, self.split, rank, index // BLOCK)
            return self._package.pipeline.make_one_source_episode_pipeline(**self._request)


class OfficialBatches(EpisodeSource):
    """The official reader's stream of training batches, for pretraining a classifier.

    A batch is an episode without support images, whose labels are the classes of the source, counted on from source to
    source, and whose way is the number of all of them. Each batch is of one source, drawn uniformly; the last one of a
    pass over a source may be smaller. Every draw is TensorFlow's, unseeded; `episode(k)` gives the next batch.
    """

    split = "train"

    def __init__(self, specs: Sequence[DatasetSpec], seed: int, batch_size: int, image_size: int):
        for spec in specs:
            if not spec.classes(self.split):
                raise UserError(f"{spec.name} has no train classes; leave it out of Experiment.train_sources")
        require_at_least(1, "official_batches", batch_size=batch_size)
        self.name = "+".join(spec.name for spec in specs)
        self._names = [spec.name for spec in specs]
        self._way = sum(len(spec.classes(self.split)) for spec in specs)
        self._seed = seed
        package = load_package(find_checkout())
        dataset = package.pipeline.make_multisource_batch_pipeline(
            [package.load_spec(spec) for spec in specs],
            split=package.learning_spec.Split.TRAIN,
            batch_size=batch_size,
            add_dataset_offset=True,
            **package.read_options(image_size),
        )
        self._stream = Stream(lambda _: dataset, ", ".join(str(spec.path) for spec in specs))
        hashes = {spec.name: spec_fingerprint(spec) for spec in specs}
        self._stamp = {"specs": hashes, "reader": "official", "image_size": image_size, "batch_size": batch_size}

    def episode(self, index: int) -> Episode:
        """The next batch of the stream: query images [N, 3, S, S] and classes [N], support images [0, 3, S, S]."""
        (images, classes), source = self._stream.next(index)
        images, classes = images_to_torch(images), labels_to_torch(classes)
        return Episode(
            support_x=images[:0],
            support_y=classes[:0],
            query_x=images,
            query_y=classes,
            way=self._way,
            source=self._names[int(source)],
            split=self.split,
            seed=self._seed,
            index=index,
        )

    def stamp(self) -> dict:
        """What the batches depend on besides their name."""
        return self._stamp


def labels_to_torch(labels: Any) -> Tensor:
    """[N] int64; the pipeline gives int32, so that this is a copy."""
    return torch.from_numpy(labels.numpy()).long()
