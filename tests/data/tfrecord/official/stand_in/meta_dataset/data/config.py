"""Configurables of the official gin files; values without default are required, as in the official package."""

import gin.tf


@gin.configurable
class DataConfig:
    def __init__(
        self, image_height, shuffle_buffer_size, read_buffer_size_bytes, num_prefetch, eval_dumped_episodes_dir=None
    ):
        self.image_height = image_height
        self.shuffle_buffer_size = shuffle_buffer_size
        self.read_buffer_size_bytes = read_buffer_size_bytes
        self.num_prefetch = num_prefetch


@gin.configurable
class EpisodeDescriptionConfig:
    def __init__(
        self,
        num_ways,
        num_support,
        num_query,
        min_ways,
        max_ways_upper_bound,
        max_num_query,
        max_support_set_size,
        max_support_size_contrib_per_class,
        min_log_weight,
        max_log_weight,
        ignore_dag_ontology,
        ignore_bilevel_ontology,
        ignore_hierarchy_probability,
        simclr_episode_fraction,
        min_examples_in_class=0,
        num_unique_descriptions=0,
        episode_description_switch_frequency=1,
    ):
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})
