"""Episode source of fixed-way episodes over an image set."""

import hashlib
import json
from functools import cached_property

import numpy as np
import torch

from alfa_md.data.build_episode import build_grouped_episode
from alfa_md.data.file_digests import Files
from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.fixed_way import ClassImages, FixedWay, FixedWaySampler
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.images.transform import Transform
from alfa_md.data.sampling import stable_rng
from alfa_md.episode import Episode, EpisodeSource


class ImageSource(EpisodeSource):
    """Fixed-way episodes of one split; episode k depends on (seed, name, split, k) and the images alone. Thread-safe.

    Args:
      images: the image set of the split.
      name, split: source and split of the episodes.
      sampling: way, shots and queries; raises UserError if the split is too small for them.
      transform: from stored images to tensors.
      seed: of the episodes.
      rotates: rotates all images of a class by one random multiple of 90 degrees per episode.
      cache_megabytes: memory for resized images; images beyond it are read again every time.
    """

    def __init__(
        self,
        images: ImageSet,
        name: str,
        split: str,
        sampling: FixedWay,
        transform: Transform,
        seed: int,
        rotates: bool = False,
        cache_megabytes: int = 1024,
    ):
        self.name, self.split = name, split
        self._images, self._transform, self._seed, self._rotates = images, transform, seed, rotates
        self._sampler = FixedWaySampler(name, split, images.class_names, images.images_per_class, sampling)
        self._cache: dict[tuple[int, int], np.ndarray] = {}
        self._cache_capacity = cache_megabytes * 2**20 // (transform.size**2 * transform.channels)

    def draw(self, index: int) -> list[ClassImages]:
        """The classes and images of episode `index`, in the order of its labels; reads no image."""
        return self._sampler.sample(stable_rng(self._seed, self.name, self.split, index))

    def fingerprint(self, index: int) -> str:
        return episode_fingerprint(self.name, self.split, self.draw(index))

    def episode(self, index: int) -> Episode:
        """Episode `index`: images [way * shots, C, S, S] and [way * queries, C, S, S], grouped by class.

        Raises UserError naming an image that cannot be read.
        """
        chosen = self.draw(index)
        sets = ([(c, n) for c in chosen for n in getattr(c, part).tolist()] for part in ("support", "query"))
        images = torch.cat([self._image_tensor(images) for images in sets])
        shots, queries = [len(c.support) for c in chosen], [len(c.query) for c in chosen]
        return build_grouped_episode(self, self._seed, index, images, shots, queries)

    def stamp(self) -> dict:
        """Layout and build of the data set, a hash of its classes, the transform, and whether classes are rotated."""
        content = json.dumps([self._images.class_names, self._images.images_per_class])
        return self._images.stamp() | {
            "classes": hashlib.sha256(content.encode()).hexdigest()[:16],
            "transform": self._transform.stamp(),
            "rotates": self._rotates,
        }

    @cached_property
    def files(self) -> Files:
        return {f"{self.name} {self.split}": self._images.digests()}

    def _image_tensor(self, chosen_images: list[tuple[ClassImages, int]]) -> torch.Tensor:
        images = [self._rotate(self._pixels(chosen.class_id, number), chosen) for chosen, number in chosen_images]
        return self._transform.normalise(np.stack(images))

    def _rotate(self, pixels: np.ndarray, chosen: ClassImages) -> np.ndarray:
        return np.rot90(pixels, chosen.quarter_turns) if self._rotates else pixels

    def _pixels(self, class_id: int, number: int) -> np.ndarray:
        """The resized image [S, S, C] uint8, cached. No lock: threads that read the same image get equal results.

        A full cache evicts nothing, since images are drawn uniformly.
        """
        place = (class_id, number)
        if (pixels := self._cache.get(place)) is None:
            pixels = self._transform.resize(self._images.image(class_id, number))
            if len(self._cache) < self._cache_capacity:
                self._cache[place] = pixels
        return pixels
