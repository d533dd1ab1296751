"""Encoded images to pixels with tf.data, as the official Meta-Dataset reader does it."""

from collections.abc import Sequence

import gin
import torch

from alfa_md.data.tfrecord.bridge import images_to_torch
from alfa_md.data.tfrecord.dimensions import dimensions
from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.errors import UserError, require_at_least

NOT_A_PICTURE = "is not a whole still picture in JPEG, PNG or BMP; convert it again"


class UndecodableImage(UserError):
    """An image that is not one whole still picture, or one too large.

    `position` is its place among the images handed over; `complaint` says what is wrong, for who knows its name.
    """

    def __init__(self, position: int, complaint: str = NOT_A_PICTURE):
        super().__init__(f"image {position} {complaint}")
        self.position, self.complaint = position, complaint


@gin.configurable
class TensorflowDecoder:
    """Decodes, resizes bilinearly to a square (aligned corners, no antialiasing) and scales to [-1, 1].

    JPEG, PNG and BMP; grey becomes three equal channels, transparency is dropped, EXIF rotation is ignored. An image
    whose header claims more than `max_pixels` pixels is refused before memory is taken for them. May be called from
    several threads at once; `num_threads` threads decode for each call. Raises UserError if TensorFlow is not
    installed.
    """

    name = "tensorflow"

    def __init__(self, image_size: int = 84, num_threads: int = 2, max_pixels: int = 100_000_000):
        require_at_least(1, type(self).__name__, image_size=image_size, num_threads=num_threads, max_pixels=max_pixels)
        self.image_size = image_size
        self.num_threads = num_threads
        self.max_pixels = max_pixels
        tf = tensorflow()
        self._error = tf.errors.InvalidArgumentError
        # Traced once for every number of images: a trace for each episode would cost more than its decoding.
        signature = [tf.TensorSpec([None], tf.string)]
        self._decode = tf.function(self._pipeline, input_signature=signature).get_concrete_function()

    def __call__(self, images: Sequence[bytes]) -> torch.Tensor:
        """[N, 3, S, S] float32, channels_last, of N >= 1 encoded images. Raises UndecodableImage on a bad one."""
        for position, image in enumerate(images):
            self._check_header(position, image)
        try:
            return images_to_torch(self._decode(tensorflow().constant(images)))
        except self._error:
            self._find_undecodable(images)
            raise

    def _check_header(self, position: int, image: bytes) -> None:
        size = dimensions(image)
        if size is None:
            raise UndecodableImage(position)
        width, height = size
        if width * height > self.max_pixels:
            claim = f"claims {width} x {height} pixels, more than the {self.max_pixels} of TensorflowDecoder.max_pixels"
            raise UndecodableImage(position, f"{claim}; convert it again in a smaller size or raise the limit")

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
        pixels = tf.io.decode_image(image, channels=3)  # a GIF or WebP gives four dimensions, which the resize refuses
        size = [self.image_size, self.image_size]
        pixels = tf.raw_ops.ResizeBilinear(images=pixels[tf.newaxis], size=size, align_corners=True)[0]
        return 2.0 * (pixels / 255.0 - 0.5)

    def _find_undecodable(self, images: Sequence[bytes]) -> None:
        for position, image in enumerate(images):
            try:
                self._decode(tensorflow().constant([image]))
            except self._error as error:
                raise UndecodableImage(position) from error
