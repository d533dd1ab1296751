"""Pixels of BMPs of every depth: TensorFlow's, or a refusal where it refuses."""

import struct

import numpy as np
import pytest

from tests.data.tfrecord.agreement import NOT_WHOLE, outcomes
from tests.spliced_jpegs import encoded, smooth

SIDE = 13


def bmp(bits: int, top_down: bool = False, header: int = 40, colours: int = 0) -> bytes:
    """A square BMP of noise, with a palette of `colours`."""
    rng, row = np.random.RandomState(bits), (SIDE * bits + 31) // 32 * 4
    height, start = -SIDE if top_down else SIDE, 14 + header + 4 * colours
    sizes = struct.pack("<IHHI", start + row * SIDE, 0, 0, start)
    fields = struct.pack("<IiiHHIIiiII", header, SIDE, height, 1, bits, 0, row * SIDE, 0, 0, colours, 0)
    return b"BM" + sizes + fields.ljust(header, b"\0") + rng.bytes(4 * colours) + rng.bytes(row * SIDE)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("header", [40, 124])
def test_bitmaps(top_down, header):
    """Values of 8 bits are grey levels, whatever the palette; TensorFlow knows neither 1, 4 nor 16 bits."""
    decoded = [bmp(24, top_down, header), bmp(32, top_down, header)]
    decoded += [bmp(8, top_down, header, colours) for colours in (0, 7, 256)]
    assert outcomes(decoded, SIDE) == 5 * ["equal"]
    refused = [bmp(bits, top_down, header, colours) for bits, colours in ((1, 2), (4, 16), (16, 0))]
    refused += [decoded[0] + b"?", decoded[0][:-1]]
    assert outcomes(refused, SIDE) == 5 * [NOT_WHOLE]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bitmaps_of_pillow(mode):
    image = encoded(smooth(SIDE, SIDE, mode="RGB").convert(mode), "BMP")
    assert outcomes([image], SIDE) == [NOT_WHOLE if mode == "1" else "equal"]
