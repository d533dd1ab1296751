import gin.tf
import tensorflow.compat.v1 as tf


@gin.configurable
class ImageDecoder:
    out_type = tf.float32

    def __init__(self, image_size=None):
        self.image_size = image_size

    def __call__(self, example):
        image = tf.parse_single_example(example, {"image": tf.FixedLenFeature([], tf.string)})["image"]
        pixels = tf.image.decode_image(image, channels=3)
        pixels.set_shape([None, None, 3])
        size = [self.image_size, self.image_size]
        return 2 * (tf.image.resize_images(pixels, size, align_corners=True) / 255.0 - 0.5)
