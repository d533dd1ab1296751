"""Damaged images: refused where TensorFlow refuses them, else filled as it fills them; never with another image."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.data.tfrecord.agreement import LAST_BYTE, NOT_WHOLE, outcomes
from tests.spliced_jpegs import JFIF, adobe, encoded, smooth, spliced

SIDE = 40
BEFORE = encoded(smooth(SIDE, SIDE, seed=9, mode="RGB"), "PNG")
PICTURE = smooth(SIDE, SIDE, mode="RGB")
JPEGS = {
    "sequential": encoded(PICTURE, quality=60),
    "progressive": encoded(PICTURE, progressive=True),
    "grey progressive": encoded(PICTURE.convert("L"), progressive=True),
    "with restart markers": encoded(PICTURE, restart_marker_blocks=2),
    "one scan a channel": spliced(SIDE, [(2, 2), (1, 1), (1, 1)], JFIF),
    "CMYK": encoded(smooth(SIDE, SIDE, mode="CMYK")),
    "YCCK": spliced(SIDE, 4 * [(1, 1)], adobe(2), progressive=True),
}
OTHERS = {
    "PNG": encoded(PICTURE, "PNG"),
    "palette PNG": encoded(PICTURE.convert("P"), "PNG", transparency=b"\0\1"),
    "BMP": encoded(PICTURE, "BMP"),
    "palette BMP": encoded(PICTURE.convert("P"), "BMP"),
}
PLACES = [0, 1, 0xC0, 0xC2, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xE1, 0xFE, 0xFF]  # markers, and bytes that matter in them


def cut(image: bytes, every: int) -> Iterator[bytes]:
    """The image cut off, and the same with an end."""
    for length in range(3, len(image), every):
        yield image[:length]
        yield image[:length] + b"\xff\xd9"


def mutated(image: bytes, number: int) -> Iterator[bytes]:
    """The image with up to three bytes replaced, bits flipped, or parts removed; its size and first bytes stay."""
    rng = np.random.RandomState(0)
    start = max(image.find(b"\xff\xc0"), image.find(b"\xff\xc2"), 20) + 9
    for _ in range(number):
        changed = bytearray(image)
        for _ in range(rng.randint(1, 4)):
            place = rng.randint(start, len(changed))
            kind = rng.randint(4)
            if kind < 2:
                changed[place] = rng.choice([*PLACES, rng.randint(256)])
            elif kind == 2:
                changed[place] ^= 1 << rng.randint(8)
            else:
                del changed[place : place + rng.randint(1, 30)]
        yield bytes(changed)


def check(images: Iterator[bytes]) -> set[str]:
    return set(outcomes(list(images), SIDE, BEFORE))


@pytest.mark.parametrize("name", JPEGS)
def test_jpegs_cut_off(name):
    assert {"equal", NOT_WHOLE} <= check(cut(JPEGS[name], every=43))


@pytest.mark.parametrize("name", JPEGS | OTHERS)
def test_mutated_images(name):
    assert NOT_WHOLE in check(mutated((JPEGS | OTHERS)[name], 30))


@pytest.mark.parametrize("name", ["progressive", "sequential"])
def test_a_jpeg_without_its_last_bytes_is_not_the_image_before_it(name):
    """A fault of simplejpeg that is not strict: it returns the given memory after an error that ends decoding."""
    image = JPEGS[name]
    assert check(image[: -2 - n] for n in range(0, 60, 3)) == {NOT_WHOLE}
    assert next(iter(check([image[:-1]]))).startswith(LAST_BYTE)


@pytest.mark.slow
@pytest.mark.parametrize("name", JPEGS | OTHERS)
def test_images_cut_off_everywhere(name):
    check(cut((JPEGS | OTHERS)[name], every=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", JPEGS | OTHERS)
def test_many_mutated_images(name):
    check(mutated((JPEGS | OTHERS)[name], 1500))
