"""Disk cache of decoded images: equal pixels for every state of the cache."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.spec import DatasetSpec, load_spec
from alfa_md.data.tfrecord import image_cache, slot_file
from alfa_md.data.tfrecord.image_cache import CachedImages, ImageCache, open_record_images
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.errors import UserError
from alfa_md.pixels import normalise
from tests.data.records import write_source
from tests.shared import ROOT

CHOSEN = [(4, 7), (0, 3), (4, 0), (17, 29), (0, 3), (4, 1)]
SIZE = 8


class CountingDecoder:
    """The installed decoder, counting its images."""

    name, image_size = "counting", SIZE

    def __init__(self):
        self.real, self.count = installed_decoder(SIZE), 0

    def decode_unnormalised(self, images: Sequence[bytes]) -> torch.Tensor:
        self.count += len(images)
        return self.real.decode_unnormalised(images)


def noise(class_id: int, number: int) -> bytes:
    pixels = np.random.RandomState(100 * class_id + number).randint(0, 256, (11, 9, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def spec(tmp_path: Path) -> DatasetSpec:
    return write_source(tmp_path / "records", noise)


def exact(spec: DatasetSpec, chosen=CHOSEN) -> torch.Tensor:
    return DecodedImages(spec, installed_decoder(SIZE)).images(chosen)


def rounded(spec: DatasetSpec, chosen=CHOSEN) -> torch.Tensor:
    return ((exact(spec, chosen) / 2 + 0.5) * 255).round().to(torch.uint8)


def cached(spec: DatasetSpec, **settings) -> tuple[CachedImages, CountingDecoder]:
    decoder = CountingDecoder()
    return ImageCache(**settings).images(spec, decoder), decoder


def kept_file(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "cache" / "decoded").iterdir()
    return file


def test_an_image_is_decoded_once(spec):
    images, decoder = cached(spec)
    cold = images.images(CHOSEN)
    assert decoder.count == len(CHOSEN)
    warm = images.images(CHOSEN)
    again, other = cached(spec)
    assert torch.equal(again.images(CHOSEN), cold) and torch.equal(warm, cold)
    assert (decoder.count, other.count) == (len(CHOSEN), 0)


def test_uint8_pixels_are_rounded_to_nearest(spec):
    images = cached(spec)[0].images(CHOSEN)
    assert images.dtype == torch.uint8 and images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, rounded(spec))
    assert (normalise(images) - exact(spec)).abs().max() <= 1 / 255 + 1e-6


def test_float32_is_exact_cold_and_warm(spec):
    images, decoder = cached(spec, dtype="float32")
    for _ in range(2):
        assert torch.equal(images.images(CHOSEN), exact(spec))
    assert decoder.count == len(CHOSEN)


def test_without_a_cache_nothing_is_rounded_or_kept(spec, tmp_path):
    images = open_record_images(spec, installed_decoder(SIZE), None)
    assert torch.equal(images.images(CHOSEN), exact(spec))
    assert images.stamp()["cache"] is None
    assert not (tmp_path / "cache" / "decoded").exists()


def test_the_stamp_has_the_dtype_of_the_cache(spec):
    assert [cached(spec, dtype=kind)[0].stamp()["cache"] for kind in ("uint8", "float32")] == ["uint8", "float32"]


def test_a_changed_class_file_is_decoded_again(spec):
    images, decoder = cached(spec)
    images.images(CHOSEN)
    other = write_source(spec.path.parent / "other", lambda class_id, number: noise(class_id + 50, number))
    os.replace(other.class_file(4), spec.class_file(4))
    fresh, decoder = cached(spec)
    assert torch.equal(fresh.images(CHOSEN), rounded(spec))
    assert decoder.count == 3  # those of class 4


@pytest.mark.parametrize("damage", ["flipped bit", "cut off", "emptied"])
def test_a_damaged_slot_is_decoded_again(spec, tmp_path, damage):
    cached(spec)[0].images(CHOSEN)
    file = kept_file(tmp_path)
    content = bytearray(file.read_bytes())
    slot = SIZE * SIZE * 3 + 20
    at = (4 * 30 + 7) * slot + 100
    if damage == "flipped bit":
        content[at] ^= 1
    file.write_bytes({"flipped bit": content, "cut off": content[:at], "emptied": b""}[damage])
    images, decoder = cached(spec)
    assert torch.equal(images.images(CHOSEN), rounded(spec))
    assert decoder.count >= 1
    count = decoder.count
    images.images(CHOSEN)
    assert decoder.count == count


def test_images_of_an_earlier_decoding_are_decoded_again(spec, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(image_cache, "DECODING", 0)
        cached(spec)[0].images(CHOSEN)
    images, decoder = cached(spec)
    for _ in range(2):
        assert torch.equal(images.images(CHOSEN), rounded(spec)) and decoder.count == len(CHOSEN)


def test_of_a_large_class_the_first_images_are_kept(spec):
    images, decoder = cached(spec, max_images_per_class=5)
    for _ in range(2):
        assert torch.equal(images.images(CHOSEN), rounded(spec))
    assert decoder.count == len(CHOSEN) + 2  # records 7 and 29 once more


def test_the_size_limit_holds_and_is_reported_once(spec, capsys):
    images, decoder = cached(spec, max_gigabytes=0)
    for _ in range(2):
        assert torch.equal(images.images(CHOSEN), rounded(spec))
    assert decoder.count == 2 * len(CHOSEN)
    assert capsys.readouterr().err.count("has reached its limit of 0 GB (ImageCache.max_gigabytes)") == 1


def test_an_unwritable_folder_is_reported_and_images_are_decoded(spec, tmp_path, monkeypatch, capsys):
    (tmp_path / "occupied").write_text("a file where the folder should be")
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "occupied"))
    images, decoder = cached(spec)
    for _ in range(2):
        assert torch.equal(images.images(CHOSEN), rounded(spec))
    assert decoder.count == 2 * len(CHOSEN)
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_a_full_disk_loses_nothing(spec, monkeypatch, capsys):
    def full(file: int, content: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    images, decoder = cached(spec)
    monkeypatch.setattr(slot_file.os, "pwrite", full)
    assert torch.equal(images.images(CHOSEN), rounded(spec))
    monkeypatch.undo()
    assert "No space left on device" in capsys.readouterr().err


FILL = """
import sys, torch
from pathlib import Path
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.data.tfrecord.image_cache import ImageCache
spec = load_spec(Path(sys.argv[1]))
images = ImageCache().images(spec, installed_decoder(8))
order = torch.randperm(540, generator=torch.Generator().manual_seed(int(sys.argv[2]))).tolist()
for start in range(0, 540, 20):
    images.images([(n // 30, n % 30) for n in order[start:start + 20]])
"""


def test_two_processes_build_one_cache(spec, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    commands = [[sys.executable, "-c", FILL, str(spec.path), str(seed)] for seed in (1, 2)]
    processes = [subprocess.Popen(command, env=environment) for command in commands]
    assert [process.wait() for process in processes] == [0, 0]
    everything = [(class_id, number) for class_id in range(18) for number in range(30)]
    images, decoder = cached(load_spec(spec.path))
    assert torch.equal(images.images(everything), rounded(spec, everything))
    assert decoder.count == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "int8"}, "ImageCache.dtype = 'int8' must be 'uint8' or 'float32'"),
        ({"max_gigabytes": -1}, "ImageCache.max_gigabytes = -1 must be at least 0"),
        ({"max_images_per_class": 0}, "ImageCache.max_images_per_class = 0 must be at least 1"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        ImageCache(**settings)
