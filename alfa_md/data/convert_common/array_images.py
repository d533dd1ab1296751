"""Conversion plan of a test set of small images in arrays, as in the published tables of thirteen sources.

All classes are in the test split. Images are enlarged to 84 pixels by Pillow's Lanczos filter and encoded as JPEG at
its default quality, in the order of the arrays: the form of these sources since Requeima et al., "Fast and flexible
multi-task classification using conditional neural adaptive processes", NeurIPS 2019. Training images are left out.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from alfa_md.data.convert_common.jpeg import encode_jpeg
from alfa_md.data.convert_common.originals import raise_if_any
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import flat_spec

SIZE = 84  # pixels


class ArrayImages(NamedTuple):
    """Images [N, H, W] or [N, H, W, 3] uint8, the class number of each [N], and the names of the classes."""

    pixels: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]


class EnlargedJpegs(NamedTuple):
    """The images of a class id, in the order of the arrays that `read` gets from the originals at `place`."""

    read: Callable[[Path], ArrayImages]
    place: Path

    def __call__(self, class_id: int) -> Iterator[bytes]:
        images = cached_images(self.read, self.place)
        return (encode_jpeg(enlarged(pixels)) for pixels in images.pixels[images.labels == class_id])


@lru_cache(maxsize=1)
def cached_images(read: Callable[[Path], ArrayImages], place: Path) -> ArrayImages:
    """The result of `read(place)`, kept while the classes of a source are converted."""
    return read(place)


def enlarged(pixels: np.ndarray) -> Image.Image:
    """The RGB image of SIZE x SIZE pixels of an array [H, W] or [H, W, 3] uint8."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def plan_array_images(
    source: str, read: Callable[[Path], ArrayImages], place: Path, remedy: str, notes: tuple[str, ...] = ()
) -> Plan:
    """The plan of a source whose classes are all in the test split; worker processes call `read(place)` again.

    Raises UserError if two classes have one name, an image is of no named class, or a class has no image.
    """
    cached_images.cache_clear()  # the files may have changed since an earlier plan of this process
    _, labels, names = cached_images(read, place)
    raise_if_any(place, ["two classes have one name"] if len(set(names)) < len(names) else [], remedy)
    highest = int(labels.max(initial=0))
    beyond = [f"has an image of class {highest}, not below {len(names)}"] if highest >= len(names) else []
    raise_if_any(place, beyond, remedy)
    counts = dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))
    raise_if_any(place, [f"has no test image of {name}" for name in names if not counts[name]], remedy)
    spec = flat_spec(source, {"train": [], "valid": [], "test": list(names)}, counts)
    return Plan(spec, EnlargedJpegs(read, place), notes=notes)
