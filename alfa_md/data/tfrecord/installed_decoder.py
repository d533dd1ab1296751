"""Default decoder: the fastest that is installed."""

from importlib.util import find_spec

import gin

from alfa_md.data.tfrecord.decoder import Decoder
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from alfa_md.values import Pixels, Threads


@gin.configurable
def installed_decoder(image_size: Pixels = 84, num_threads: Threads = 2) -> Decoder:
    """The turbo decoder if simplejpeg is installed, else that of TensorFlow; their pixels are equal."""
    chosen = TurboDecoder if find_spec("simplejpeg") else TensorflowDecoder
    return chosen(image_size=image_size, num_threads=num_threads)
