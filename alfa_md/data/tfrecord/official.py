"""Episode and batch sources that wrap the official Meta-Dataset reader.

Needs a checkout of `google-research/meta-dataset` (third_party/README.md). Its pipeline is unchanged: files, sampler,
shuffling within windows of 1000 records, decoding, and its own data_config.gin, parsed by a separate instance of gin.
It receives the image size and the `Sampling` of a run, whose fields are the arguments of the official
EpisodeDescriptionConfig. So gin bindings of `Sampling` apply to both readers, and the config.gin of a run does not
refer to the official package. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import gin
import torch
from torch import Tensor

from alfa_md.data.build_episode import build_episode
from alfa_md.data.file_digests import Files, digest_records
from alfa_md.data.sampling import EpisodeSampler, Sampling, stable_rng
from alfa_md.data.spec import BiLevelSpec, DatasetSpec, HierarchicalSpec, load_spec
from alfa_md.data.tfrecord.bridge import images_to_torch
from alfa_md.data.tfrecord.official_package import find_checkout, load_package
from alfa_md.data.tfrecord.record_files import spec_fingerprint
from alfa_md.data.tfrecord.stream import Stream
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError, require_at_least
from alfa_md.values import Items, Pixels

BLOCK = 64  # episodes per sampler seed; above the number of threads that may request the first episode
_sampler_lock = Lock()  # the package has one random generator for all samplers


@gin.configurable
def official(
    root: Path, name: str, split: str, sampling: Sampling, seed: int, image_size: Pixels = gin.REQUIRED
) -> "OfficialSource":
    """The episodes of source `name` under `root` by the official reader, images of image_size x image_size pixels.

    Raises UserError if the package, TensorFlow or the spec is missing, or `sampling` cannot be satisfied.
    """
    return OfficialSource(load_spec(root / name), split, sampling, seed, image_size)


@gin.configurable
def official_batches(
    root: Path, names: Sequence[str], seed: int, batch_size: Items = 256, image_size: Pixels = gin.REQUIRED
) -> "OfficialBatches":
    """Batches of all training classes of the sources `names` under `root` by the official reader."""
    return OfficialBatches([load_spec(root / name) for name in names], seed, batch_size, image_size)


class OfficialSource(EpisodeSource):
    """Stream of episodes of one split from the official reader.

    There is no random access: `episode(k)` returns the next episode, labelled k. Episode descriptions (classes, ways,
    shots) are seeded by (seed, source, split), the distributed rank, and the block of 64 indices of the first episode
    requested: the same in a new process, others after a resume. Images are drawn by TensorFlow, unseeded, as in the
    official code. Hence a resumed run continues with other episodes than an uninterrupted one, and two runs are not
    paired. Thread-safe; every call returns another episode.
    """

    def __init__(self, spec: DatasetSpec, split: str, sampling: Sampling, seed: int, image_size: int):
        EpisodeSampler(spec, split, sampling)  # raises clear errors early, where the official sampler would fail later
        self.name, self.split = spec.name, split
        self._spec, self._seed = spec, seed
        self._package = package = load_package(find_checkout())
        # All fields are passed, None included: the constructor requires the three that fix way and shot.
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
        """The next episode of the stream, labelled `index`: images [N, 3, S, S], grouped by class.

        Raises UserError naming the folder if TensorFlow cannot read it.
        """
        (support_x, support_y, _, query_x, query_y, _), _ = self._stream.next(index)
        support = images_to_torch(support_x), labels_to_torch(support_y)
        query = images_to_torch(query_x), labels_to_torch(query_y)
        return build_episode(self, self._seed, index, int(support[1].max()) + 1, support, query)

    def stamp(self) -> dict:
        """Stamp of everything else that episodes depend on: specification, reader and image size."""
        return self._stamp

    @cached_property
    def files(self) -> Files:
        return {f"{self.name} {self.split}": digest_records(self._spec, self.split)}

    def _make_pipeline(self, index: int) -> Any:
        """The pipeline of a stream that starts at the block of `index`."""
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        with _sampler_lock:
            # The official sampler draws its seed from this module-level generator at construction.
            self._package.sampling.RNG = stable_rng(self._seed, self.name, self.split, rank, index // BLOCK)
            return self._package.pipeline.make_one_source_episode_pipeline(**self._request)


class OfficialBatches(EpisodeSource):
    """Stream of training batches from the official reader, for pretraining a classifier.

    A batch is an episode with an empty support set; its labels are class ids offset by the classes of the preceding
    sources, its way is the number of all classes. Each batch is of one source, drawn uniformly; the last one of a pass
    over a source may be smaller. All draws are unseeded, by TensorFlow; `episode(k)` returns the next batch.
    """

    split = "train"

    def __init__(self, specs: Sequence[DatasetSpec], seed: int, batch_size: int, image_size: int):
        for spec in specs:
            if not spec.classes(self.split):
                raise UserError(f"{spec.name} has no train classes; leave it out of Experiment.train_sources")
        require_at_least(1, "official_batches", batch_size=batch_size)
        self.name = "+".join(spec.name for spec in specs)
        self._names, self._specs = [spec.name for spec in specs], tuple(specs)
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
        support, query = (images[:0], classes[:0]), (images, classes)
        episode = build_episode(self, self._seed, index, self._way, support, query)
        return episode._replace(source=self._names[int(source)])

    def stamp(self) -> dict:
        """Stamp of everything else that batches depend on: specifications, reader, image size and batch size."""
        return self._stamp

    @cached_property
    def files(self) -> Files:
        return {f"{spec.name} {self.split}": digest_records(spec, self.split) for spec in self._specs}


def labels_to_torch(labels: Any) -> Tensor:
    """Labels [N] int64; copied, because the pipeline returns int32."""
    return torch.from_numpy(labels.numpy()).long()
