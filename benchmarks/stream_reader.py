"""Reader of the official protocol in plain tf.data, for comparison: one infinite stream per class.

Each stream shuffles within a window of 1000 records and repeats. An episode takes from the streams: the remaining
records of classes that would otherwise be read past their end, which are discarded; then the support records; then the
query records; each part is padded with empty records to a fixed length. The default configuration augments support
images by noise of standard deviation 0 and a crop without margin, which have no effect but take time.
Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020, and its code.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from alfa_md.data.sampling import ClassDraw
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.runtime import tensorflow

WINDOW, AHEAD, READ = 1000, 64, 2**20  # records shuffled, records read ahead, bytes read at once
SUPPORT, QUERY = 500, 500  # slots, some of them empty
FLUSH = SUPPORT + QUERY

Augment = Callable  # (tensorflow, image) -> image


def augment_without_effect(tf, image):
    """The augmentation of the default configuration: no noise, no margin."""
    noisy = image + tf.random.normal(tf.shape(image)) * 0.0
    return tf.image.random_crop(tf.pad(noisy, [[0, 0]] * 3, "REFLECT"), tf.shape(image))


def no_augmentation(tf, image):
    return image


class StreamReader:
    """Reads the given episodes: images [N, 3, S, S] float32 in [-1, 1], the augmented support set first."""

    def __init__(self, spec: DatasetSpec, episodes: Iterator[Sequence[ClassDraw]], size: int, augment: Augment):
        self._tf = tf = tensorflow()
        self._size, self._augment = size, augment
        empty = tf.data.Dataset.from_tensors((b"", np.int64(-1))).repeat()
        streams = [*(self._stream(spec, class_id) for class_id in range(len(spec.class_names))), empty]
        places = tf.data.Dataset.from_generator(
            lambda: places_of(episodes, spec.images_per_class), output_signature=tf.TensorSpec([None], tf.int64)
        )
        taken = tf.data.Dataset.choose_from_datasets(streams, places.unbatch()).batch(FLUSH + SUPPORT + QUERY)
        options = tf.data.Options()
        options.autotune.enabled = False  # no prefetching, which would run during the next reader's turn
        options.experimental_optimization.inject_prefetch = False
        self._episodes = iter(taken.map(self._images).with_options(options))

    def episode(self) -> np.ndarray:
        """The images of the next episode."""
        return next(self._episodes).numpy().transpose(0, 3, 1, 2)

    def _stream(self, spec: DatasetSpec, class_id: int):
        data = self._tf.data
        records = data.TFRecordDataset(str(spec.class_file(class_id)), buffer_size=READ).prefetch(AHEAD)
        shuffled = records.shuffle(min(WINDOW, spec.images_per_class[class_id])).repeat()
        return data.Dataset.zip((shuffled, data.Dataset.from_tensors(np.int64(class_id)).repeat()))

    def _images(self, records, class_ids):
        """The images of an episode, without empty slots."""
        there = class_ids >= 0
        support, query = (
            self._tf.boolean_mask(records[part], there[part]) for part in (slice(FLUSH, -QUERY), slice(-QUERY, None))
        )
        augmented = self._each(lambda record: self._augment(self._tf, self._decoded(record)), support)
        return self._tf.concat((augmented, self._each(self._decoded, query)), 0)

    def _each(self, change, records):
        signature = self._tf.TensorSpec([self._size, self._size, 3], self._tf.float32)
        return self._tf.map_fn(change, records, fn_output_signature=signature)

    def _decoded(self, record):
        tf, size = self._tf, [self._size, self._size]
        encoded = tf.io.parse_single_example(record, {"image": tf.io.FixedLenFeature([], tf.string)})["image"]
        image = tf.cast(tf.io.decode_image(encoded, 3, expand_animations=False), tf.float32)
        return tf.raw_ops.ResizeBilinear(images=image[None], size=size, align_corners=True)[0] / 127.5 - 1


def places_of(episodes: Iterator[Sequence[ClassDraw]], sizes: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields the stream indices of every episode; the last index is the empty stream."""
    left = np.array(sizes)  # unread records per class
    for draws in episodes:
        class_ids, shots, queries = np.array(draws).T
        short = class_ids[shots + queries > left[class_ids]]
        parts = ((short, left[short], FLUSH), (class_ids, shots, SUPPORT), (class_ids, queries, QUERY))
        yield np.concatenate([np.append(c.repeat(n), [len(sizes)] * (size - n.sum())) for c, n, size in parts])
        left[short] = np.array(sizes)[short]
        left[class_ids] -= shots + queries
