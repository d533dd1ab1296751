"""Pixels of both decoders on odd but valid files, and on all real and drawn pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from tests.data.tfrecord.test_decoders import encoded, noise, stored_images
from tests.shared import shared_data


def both(images: list[bytes], size: int) -> tuple[np.ndarray, np.ndarray]:
    """The images decoded by the two decoders."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    return TensorflowDecoder(size)(images).numpy(), TurboDecoder(size)(images).numpy()


def cmyk(adobe: bool, quality: int) -> bytes:
    pixels = Image.fromarray(noise(23, 31, 4), "CMYK")
    file = io.BytesIO()
    pixels.save(file, "JPEG", quality=quality)
    return file.getvalue() if adobe else file.getvalue().replace(b"\xff\xee\x00\x0eAdobe", b"\xff\xee\x00\x0eOther")


def png(mode: str) -> bytes:
    """A PNG of another kind than plain colours."""
    if mode == "I;16":
        image = Image.fromarray(np.random.RandomState(1).randint(0, 2**16, (9, 7)).astype(np.uint16))
    else:
        image = Image.fromarray(noise(9, 7, 4), "RGBA").convert("RGB" if mode == "P" else "RGBA").convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG", **({"transparency": 3} if mode == "P" else {}))
    return file.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(noise(20, 30)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def in_columns_of_four() -> bytes:
    """A JPEG of the rare subsampling 4:4:1: the frame header of another one changed."""
    image = bytearray(encoded(noise(40, 30), "JPEG"))
    image[image.find(b"\xff\xc0") + 11] = 0x14
    return bytes(image)


ODD = {
    "CMYK of Adobe": cmyk(adobe=True, quality=75),
    "CMYK": cmyk(adobe=False, quality=95),
    "PNG of 16 bits": png("I;16"),
    "PNG with a palette and transparency": png("P"),
    "PNG of 1 bit": png("1"),
    "grey PNG with transparency": png("LA"),
    "BMP": encoded(noise(5, 9), "BMP"),
    "bytes after the end": encoded(noise(40, 30), "JPEG") + b"rubbish",
    "bytes before a marker": encoded(noise(40, 30), "JPEG")[:-2] + b"rubbish\xff\xd9",
    "cut short but ended": encoded(noise(60, 60), "JPEG")[:900] + b"\xff\xd9",
    "subsampling 4:4:1": in_columns_of_four(),
    "EXIF rotation": rotated(),
    "restart markers": encoded(noise(64, 64), "JPEG", restart_marker_blocks=2),
}


@pytest.mark.parametrize("name", ODD)
def test_the_decoders_agree_on_odd_files(name):
    np.testing.assert_array_equal(*both([ODD[name]], 16))


@pytest.mark.slow
@pytest.mark.parametrize(("file", "key"), [("caltech101_subset.npz", "jpeg"), ("traffic_sign_subset.npz", "png")])
def test_the_decoders_agree_on_all_real_photographs(file, key):
    images = stored_images(file, key, every=1)
    for start in range(0, len(images), 200):
        np.testing.assert_array_equal(*both(images[start : start + 200], 84))


@pytest.mark.slow
def test_the_decoders_agree_on_all_drawings():
    with np.load(shared_data("quickdraw_subset.npz")) as archive:
        drawings = [encoded(image, "JPEG") for image in archive["images"]]
    with np.load(shared_data("omniglot.npz")) as archive:
        ink = np.unpackbits(archive["images"][::4], axis=-1, count=11025).reshape(-1, 105, 105)
    characters = [encoded(255 * strokes, "JPEG") for strokes in ink]
    for images in (drawings, characters):
        for start in range(0, len(images), 1000):
            np.testing.assert_array_equal(*both(images[start : start + 1000], 28))
