"""A plain reader of the official protocol in tf.data, to be measured against: one endless stream a class.

Each stream shuffles within a window of 1000 records and repeats; a generator names the class of every image, and
tf.data takes the next of that stream. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020, and its code.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.runtime import tensorflow

WINDOW = 1000  # records


class StreamReader:
    """Episodes of `classes` times `shots` images, [N, 3, S, S] float32 in [-1, 1]."""

    def __init__(self, spec: DatasetSpec, episodes: Iterator[Sequence[int]], size: int, threads: int):
        tf = tensorflow()
        features = {"image": tf.io.FixedLenFeature([], tf.string)}

        def stream(class_id: int):
            window = min(WINDOW, spec.images_per_class[class_id])
            return tf.data.TFRecordDataset(str(spec.class_file(class_id))).shuffle(window, seed=class_id).repeat()

        def decoded(record):
            image = tf.io.decode_jpeg(tf.io.parse_single_example(record, features)["image"], channels=3)
            resized = tf.raw_ops.ResizeBilinear(
                images=tf.cast(image, tf.float32)[None], size=[size, size], align_corners=True
            )[0]
            return resized / 127.5 - 1

        def requests():
            for classes in episodes:
                self._sizes.append(len(classes))
                yield np.asarray(classes, np.int64)

        self._sizes: list[int] = []
        asked = tf.data.Dataset.from_generator(requests, output_signature=tf.TensorSpec([None], tf.int64)).unbatch()
        streams = [stream(class_id) for class_id in range(len(spec.class_names))]
        images = tf.data.Dataset.choose_from_datasets(streams, asked).map(decoded, num_parallel_calls=threads)
        self._images = iter(images)

    def episode(self, number: int) -> np.ndarray:
        """The next `number` images."""
        return np.stack([next(self._images).numpy() for _ in range(number)]).transpose(0, 3, 1, 2)
