"""Episode and batch pipelines with the outputs of the official ones: images, labels, class ids, source number."""

import functools

import gin.tf
import numpy as np
import tensorflow.compat.v1 as tf
from absl import logging
from simclr import data_util  # noqa: F401

from meta_dataset.data import decoder, sampling

tf.flags.DEFINE_float("color_jitter_strength", 1.0, "Defined when the module is imported, as there.")

REQUESTS = []  # the arguments of every call of a pipeline, and what its sampler has drawn
RECORDS = np.random.RandomState(0)


@gin.configurable(allowlist=["support_decoder", "query_decoder"])
def process_episode(support, support_ids, query, query_ids, image_size, support_decoder, query_decoder):
    support_decoder.image_size = query_decoder.image_size = image_size
    support_images = tf.map_fn(support_decoder, support, dtype=support_decoder.out_type, back_prop=False)
    query_images = tf.map_fn(query_decoder, query, dtype=query_decoder.out_type, back_prop=False)
    (_, support_labels), (_, query_labels) = tf.unique(support_ids), tf.unique(query_ids)
    return support_images, support_labels, support_ids, query_images, query_labels, query_ids


@gin.configurable(allowlist=["batch_decoder"])
def process_batch(examples, class_ids, image_size, batch_decoder):
    assert isinstance(batch_decoder, decoder.ImageDecoder)
    batch_decoder.image_size = image_size
    return tf.map_fn(batch_decoder, examples, dtype=batch_decoder.out_type, back_prop=False), class_ids


def make_one_source_episode_pipeline(
    dataset_spec,
    use_dag_ontology,
    use_bilevel_ontology,
    split,
    episode_descr_config,
    pool=None,
    shuffle_buffer_size=None,
    read_buffer_size_bytes=None,
    num_prefetch=0,
    image_size=None,
    num_to_take=None,
    ignore_hierarchy_probability=0.0,
    simclr_episode_fraction=0.0,
):
    drawn = []
    REQUESTS.append(locals())
    log_settings(REQUESTS[-1])
    sampler = sampling.EpisodeDescriptionSampler(
        dataset_spec, split, episode_descr_config, use_dag_ontology, use_bilevel_ontology
    )

    def episodes():
        while True:
            drawn.append(sampler.sample_episode_description())
            sets = ([], [], [], [])
            for number, shots, queries in drawn[-1]:
                class_id = dataset_spec.get_classes(split)[number]
                examples = class_records(dataset_spec, class_id)
                chosen = [examples[i] for i in RECORDS.permutation(len(examples))[: shots + queries]]
                values = (chosen[:shots], [class_id] * shots, chosen[shots:], [class_id] * queries)
                for whole, part in zip(sets, values, strict=True):
                    whole.extend(part)
            yield sets

    types = (tf.string, tf.int32) * 2
    dataset = tf.data.Dataset.from_generator(episodes, types, (tf.TensorShape([None]),) * 4)
    dataset = dataset.map(functools.partial(process_episode, image_size=image_size))
    return tf.data.Dataset.zip((dataset, tf.data.Dataset.from_tensors(0).repeat())).prefetch(1)


@gin.configurable("BatchSplitReaderGetReader", allowlist=["add_dataset_offset"])
def make_multisource_batch_pipeline(
    dataset_spec_list,
    split,
    batch_size,
    add_dataset_offset,
    pool=None,
    shuffle_buffer_size=None,
    read_buffer_size_bytes=None,
    num_prefetch=0,
    image_size=None,
    num_to_take=None,
):
    REQUESTS.append(locals())
    log_settings(REQUESTS[-1])
    sources, offset = [], 0
    for number, spec in enumerate(dataset_spec_list):
        pairs = [(image, c) for c in spec.get_classes(split) for image in class_records(spec, c)]
        examples, classes = zip(*(pairs[i] for i in RECORDS.permutation(len(pairs))), strict=True)
        dataset = tf.data.Dataset.from_tensor_slices((list(examples), np.array(classes, np.int32) + offset))
        dataset = dataset.batch(batch_size, drop_remainder=False).repeat()
        sources.append(tf.data.Dataset.zip((dataset, tf.data.Dataset.from_tensors(number).repeat())))
        offset += len(spec.get_classes(split)) if add_dataset_offset else 0
    dataset = tf.data.experimental.sample_from_datasets(sources)
    return dataset.map(lambda batch, number: (process_batch(*batch, image_size=image_size), number)).prefetch(1)


def class_records(spec, class_id):
    """The serialised examples of a class."""
    return list(tf.io.tf_record_iterator(f"{spec.path}/{class_id}.tfrecords"))


def log_settings(request):
    """A line for each of ten settings, as many as there."""
    for name, value in [*request.items()][:10]:
        logging.info("pipeline with %s = %s", name, value)
