"""Disk cache of decoded and resized images: one sparse file per source and image size.

A slot has the pixels of one image and a trailer: modification time and size of the record file, and a checksum. A slot
that is empty, half-written, damaged or made from another record file is a cache miss and is written again. No lock is
needed: processes that fill the same slot write the same bytes.
"""

import math
import struct
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import gin
import google_crc32c
import numpy as np
import torch
from torch import Tensor

from alfa_md.data.paths import cache_dir
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decoder import Decoder
from alfa_md.data.tfrecord.record_files import RecordFiles, RecordId
from alfa_md.data.tfrecord.record_images import Decode, DecodedImages, RecordImages, decode_records, reading_stamp
from alfa_md.data.tfrecord.slot_file import SlotFile
from alfa_md.errors import UserError, require_at_least
from alfa_md.pixels import normalise
from alfa_md.values import Count, NonNegative

TRAILER = struct.Struct("<qqI")  # modification time and size of the record file, checksum of the pixels
DECODING = 2  # start of the checksum; raised when images get other pixels, so that those before are not read
FOLDER = "decoded"  # in the cache directory


@gin.configurable
class ImageCache:
    """Configuration of the disk cache of decoded images.

    Args:
      dtype: "uint8" rounds pixels to integers, for cache hits and misses alike; "float32" is exact and takes four times
        the space.
      max_gigabytes: limit for all sources together; images that do not fit are decoded every time.
      max_images_per_class: only the first so many images of a class are cached. Classes of the largest sources have
        hundreds of thousands of images, few of which a run reads twice.

    Raises UserError for invalid values.
    """

    def __init__(self, dtype: str = "uint8", max_gigabytes: NonNegative = 50.0, max_images_per_class: Count = 3000):
        if dtype not in ("uint8", "float32"):
            raise UserError(f"ImageCache.dtype = {dtype!r} must be 'uint8' or 'float32'")
        require_at_least(0, "ImageCache", max_gigabytes=max_gigabytes)
        require_at_least(1, "ImageCache", max_images_per_class=max_images_per_class)
        self.dtype, self.max_gigabytes, self.max_images_per_class = dtype, max_gigabytes, max_images_per_class

    def images(self, spec: DatasetSpec, decoder: Decoder) -> "CachedImages":
        """The cached images of a source."""
        return CachedImages(spec, decoder, self)


class CachedImages(RecordImages):
    """Images of one source and size through the cache; decodes, after one warning, if the cache is unusable."""

    def __init__(self, spec: DatasetSpec, decoder: Decoder, cache: ImageCache):
        self._files, self._decoder, self._cache = RecordFiles(spec), decoder, cache
        self._shape = (decoder.image_size, decoder.image_size, 3)
        self._dtype = np.dtype(cache.dtype)
        kept = [min(count, cache.max_images_per_class) for count in spec.images_per_class]
        self._first = list(accumulate(kept, initial=0))  # slot of the first image of each class, and the end
        slot_size = math.prod(self._shape) * self._dtype.itemsize + TRAILER.size
        self._file = SlotFile(cache_path(spec, decoder.image_size, cache), slot_size, int(cache.max_gigabytes * 1e9))

    def images(self, chosen: Sequence[RecordId]) -> Tensor:
        """Images [N, 3, S, S] in the order of `chosen`: uint8, or float32 in [-1, 1], by the dtype of the cache."""
        files = [self._files.layout.locate(record)[0] for record in chosen]
        versions = {file: self._file_version(file) for file in dict.fromkeys(files)}
        pixels = np.empty((len(chosen), *self._shape), self._dtype)
        places = enumerate(zip(chosen, files, strict=True))
        absent = [n for n, (record, file) in places if not self._read_slot(record, versions[file], pixels[n])]
        if absent:
            missing = [chosen[n] for n in absent]
            decoded = (
                decode_records(self._decoder.decode_unnormalised, self._files, missing).permute(0, 2, 3, 1).numpy()
            )
            pixels[absent] = decoded if self._dtype == np.float32 else np.rint(decoded)
            self._write_slots({record: pixels[n] for n, record in zip(absent, missing, strict=True)}, versions)
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        return images if self._dtype == np.uint8 else normalise(images)

    def stamp(self) -> dict:
        return reading_stamp(self._files, self._decoder) | {"cache": self._cache.dtype}

    def _slot(self, record: RecordId) -> int | None:
        """Slot number of an image; None if the image is not cached."""
        class_id, number = record
        slot = self._first[class_id] + number
        return slot if slot < self._first[class_id + 1] else None

    def _read_slot(self, record: RecordId, version: tuple[int, int], pixels: np.ndarray) -> bool:
        """Fill `pixels` [S, S, 3] from the slot of an image; returns True on a valid hit."""
        slot, trailer = self._slot(record), bytearray(TRAILER.size)
        view = memoryview(pixels).cast("B")
        if slot is None or not self._file.read(slot, [view, memoryview(trailer)]):
            return False
        return TRAILER.unpack(trailer) == (*version, google_crc32c.extend(DECODING, pixels))

    def _write_slots(self, images: dict[RecordId, np.ndarray], versions: dict[int, tuple[int, int]]) -> None:
        """Write the slots of images, except of files that have changed since their records were read."""
        unchanged = {file: self._file_version(file) == version for file, version in versions.items()}
        contents = {}
        for record, pixels in images.items():
            slot, content = self._slot(record), pixels.tobytes()
            file, _ = self._files.layout.locate(record)
            if slot is not None and unchanged[file]:
                contents[slot] = content + TRAILER.pack(*versions[file], google_crc32c.extend(DECODING, content))
        self._file.write(contents)

    def _file_version(self, file: int) -> tuple[int, int]:
        path = self._files.layout.file(file)
        try:
            status = path.stat()
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); check the records root") from error
        return status.st_mtime_ns, status.st_size


def cache_path(spec: DatasetSpec, image_size: int, cache: ImageCache) -> Path:
    """Cache file of a source; its name has a hash of everything that determines the layout of slots."""
    layout = f"{spec.path}|{image_size}|{cache.dtype}|{cache.max_images_per_class}|{spec.images_per_class}"
    return cache_dir() / FOLDER / f"{spec.name}-{image_size}-{cache.dtype}-{sha256(layout.encode()).hexdigest()[:16]}"


def open_record_images(spec: DatasetSpec, decoder: Decode, cache: ImageCache | None) -> RecordImages:
    """The images of a source, through the cache if one is given."""
    return cache.images(spec, decoder) if cache else DecodedImages(spec, decoder)
