"""The readers that are compared: each gives the next episode's images as float32 [N, 3, S, S]."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.image_cache import ImageCache, images_of, slot_file
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from alfa_md.pixels import scaled
from benchmarks.stream_reader import StreamReader

SIZE = 84  # pixels
WAYS, IMAGES = 8, 12  # of an episode: classes, and images of each
THREADS = 2

Place = tuple[int, int]
Read = Callable[[], Any]


def places(spec: DatasetSpec) -> Iterator[list[Place]]:
    """Class and record of every image of episode after episode; the same for every reader."""
    rng = np.random.RandomState(0)
    while True:
        classes = rng.choice(len(spec.class_names), WAYS, replace=False)
        yield [(int(c), int(n)) for c in classes for n in rng.choice(spec.images_per_class[c], IMAGES, replace=False)]


def stream(spec: DatasetSpec) -> Read:
    asked = ([class_id for class_id, _ in episode] for episode in places(spec))
    reader = StreamReader(spec, asked, SIZE, THREADS)
    return lambda: reader.episode(WAYS * IMAGES)


def own(spec: DatasetSpec, decoder: type, cache: ImageCache | None = None, episodes: int | None = None) -> Read:
    """Reads at random; with `episodes` the same ones come again and again, so that a cache is warm after a round."""
    images, drawn = images_of(spec, decoder(image_size=SIZE, num_threads=THREADS), cache), places(spec)
    if episodes:
        again = [next(drawn) for _ in range(episodes)]
        drawn = (again[number % episodes] for number in range(10**9))

    def read() -> torch.Tensor:
        pixels = images.images(next(drawn))
        return scaled(pixels) if pixels.dtype == torch.uint8 else pixels

    return read


def filling(spec: DatasetSpec) -> Read:
    """Decodes and keeps: the cache is emptied before every episode."""
    cache = ImageCache(max_images_per_class=max(spec.images_per_class))  # a file of its own
    read, file = own(spec, TurboDecoder, cache), slot_file(spec, SIZE, cache)

    def emptied() -> torch.Tensor:
        if file.exists():
            os.truncate(file, 0)
        return read()

    return emptied


READERS: dict[str, Callable[[DatasetSpec], Read]] = {
    "tf.data stream": stream,
    "tensorflow": lambda spec: own(spec, TensorflowDecoder),
    "turbo": lambda spec: own(spec, TurboDecoder),
    "turbo, filling the cache": filling,
    "warm cache, uint8": lambda spec: own(spec, TurboDecoder, ImageCache(), episodes=4),
    "warm cache, float32": lambda spec: own(spec, TurboDecoder, ImageCache(dtype="float32"), episodes=4),
}
