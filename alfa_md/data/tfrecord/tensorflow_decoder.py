"""Image decoder on tf.data, the operations of the official Meta-Dataset reader."""

from collections.abc import Sequence

import gin
from torch import Tensor

from alfa_md.data.tfrecord.bridge import images_to_torch
from alfa_md.data.tfrecord.decoder import Decoder, Size, UndecodableImage
from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.pixels import normalise
from alfa_md.values import Count, Pixels, Threads


@gin.configurable("tensorflow")
class TensorflowDecoder(Decoder):
    """Decodes with TensorFlow, as the official reader does. Raises UserError if TensorFlow is not installed."""

    name = "tensorflow"

    def __init__(self, image_size: Pixels = 84, num_threads: Threads = 2, max_pixels: Count = 100_000_000):
        super().__init__(image_size, num_threads, max_pixels)
        tf = tensorflow()
        self._error = tf.errors.InvalidArgumentError
        # Traced once for any number of images: a trace per episode would cost more than decoding.
        signature = [tf.TensorSpec([None], tf.string)]
        self._decode = tf.function(self._pipeline, input_signature=signature).get_concrete_function()

    def _decode_batch(self, images: Sequence[bytes], sizes: Sequence[Size], normalised: bool) -> Tensor:
        try:
            pixels = images_to_torch(self._decode(tensorflow().constant(images)))
        except self._error:
            self._find_undecodable(images)
            raise
        return normalise(pixels) if normalised else pixels

    def _pipeline(self, images):
        tf = tensorflow()
        dataset = tf.data.Dataset.from_tensor_slices(images)
        dataset = dataset.map(self._decode_one, num_parallel_calls=self.num_threads, deterministic=True)
        options = tf.data.Options()
        options.threading.private_threadpool_size = self.num_threads
        options.threading.max_intra_op_parallelism = 1
        return dataset.batch(tf.size(images, out_type=tf.int64)).with_options(options).get_single_element()

    def _decode_one(self, image):
        tf = tensorflow()
        pixels = tf.io.decode_image(image, channels=3)  # GIF and WebP have four dimensions, which the resize rejects
        size = [self.image_size, self.image_size]
        return tf.raw_ops.ResizeBilinear(images=pixels[tf.newaxis], size=size, align_corners=True)[0]

    def _find_undecodable(self, images: Sequence[bytes]) -> None:
        for position, image in enumerate(images):
            try:
                self._decode(tensorflow().constant([image]))
            except self._error as error:
                raise UndecodableImage(position) from error
