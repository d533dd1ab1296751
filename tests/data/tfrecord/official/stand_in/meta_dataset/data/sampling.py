"""Sampler of episode descriptions: way 5 or more, shots 1, 2, 3, ... in random order, two queries per class."""

import numpy as np

RNG = np.random.RandomState(seed=None)


class EpisodeDescriptionSampler:
    def __init__(self, dataset_spec, split, episode_descr_config, use_dag_hierarchy=False, use_bilevel_hierarchy=False):
        self._rng = np.random.RandomState(seed=RNG.randint(0, 2**32, size=None, dtype="uint32"))
        self.config = episode_descr_config
        self.num_classes = len(dataset_spec.get_classes(split))
        if use_dag_hierarchy:
            self.span_leaves_rel = [list(range(5)), list(range(self.num_classes))]  # ragged, as that of ImageNet is

    def sample_episode_description(self):
        if hasattr(self, "span_leaves_rel"):
            classes = self._rng.choice(self.span_leaves_rel)
        else:
            way = self.config.num_ways or self._rng.randint(self.config.min_ways, self.num_classes + 1)
            classes = self._rng.choice(self.num_classes, way, replace=False)
        shots = [self.config.num_support] * len(classes)
        if self.config.num_support is None:
            shots = self._rng.permutation(len(classes)) + 1
        return tuple((int(c), int(k), self.config.num_query or 2) for c, k in zip(classes, shots, strict=True))
