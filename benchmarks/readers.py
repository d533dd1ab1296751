"""Readers of the data benchmark: each returns the next episode's images as float32 [N, 3, S, S]."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from alfa_md.data.sampling import ClassDraw, EpisodeSampler, Sampling, draw_records
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.image_cache import ImageCache, cache_path, open_record_images
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from alfa_md.pixels import normalise
from benchmarks.stream_reader import Augment, StreamReader, augment_without_effect, no_augmentation

SIZE = 84  # pixels
THREADS = 2
STREAM = "official protocol"

Place = tuple[int, int]
Read = Callable[[], Any]


def sample_episodes(spec: DatasetSpec) -> Iterator[list[ClassDraw]]:
    """Yields the classes, shots and queries of successive episodes, the same for every reader."""
    sampler, rng = EpisodeSampler(spec, "train", Sampling()), np.random.RandomState(0)
    while True:
        yield sampler.sample(rng)


def record_places(spec: DatasetSpec) -> Iterator[list[Place]]:
    """Yields class and record of every image of these episodes."""
    rng = np.random.RandomState(1)
    for draws in sample_episodes(spec):
        records = [draw_records(rng, spec.images_per_class[c], shots + queries) for c, shots, queries in draws]
        yield [(draw.class_id, int(n)) for draw, own in zip(draws, records, strict=True) for n in own]


def stream_reader(spec: DatasetSpec, augment: Augment) -> Read:
    return StreamReader(spec, sample_episodes(spec), SIZE, augment).episode


def record_reader(
    spec: DatasetSpec, decoder: type, cache: ImageCache | None = None, episodes: int | None = None
) -> Read:
    """Random access to records; with `episodes`, repeats so many episodes, so that a cache is warm after one round."""
    images, drawn = open_record_images(spec, decoder(image_size=SIZE, num_threads=THREADS), cache), record_places(spec)
    if episodes:
        again = [next(drawn) for _ in range(episodes)]
        drawn = (again[number % episodes] for number in range(10**9))

    def read() -> torch.Tensor:
        pixels = images.images(next(drawn))
        return normalise(pixels) if pixels.dtype == torch.uint8 else pixels

    return read


def cold_cache_reader(spec: DatasetSpec) -> Read:
    """Decodes and caches: the cache is emptied before every episode."""
    cache = ImageCache(max_images_per_class=max(spec.images_per_class))  # in a separate file
    read, file = record_reader(spec, TurboDecoder, cache), cache_path(spec, SIZE, cache)

    def emptied() -> torch.Tensor:
        if file.exists():
            os.truncate(file, 0)
        return read()

    return emptied


READERS: dict[str, Callable[[DatasetSpec], Read]] = {
    STREAM: partial(stream_reader, augment=augment_without_effect),
    f"{STREAM}, not augmented": partial(stream_reader, augment=no_augmentation),
    "tensorflow": lambda spec: record_reader(spec, TensorflowDecoder),
    "turbo": lambda spec: record_reader(spec, TurboDecoder),
    "turbo, filling the cache": cold_cache_reader,
    "warm cache, uint8": lambda spec: record_reader(spec, TurboDecoder, ImageCache(), episodes=4),
    "warm cache, float32": lambda spec: record_reader(spec, TurboDecoder, ImageCache(dtype="float32"), episodes=4),
}
