"""The rule of every Pillow mode: kept, converted, or refused with the name of the file."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from alfa_md.data.image_modes import is_grey, read_image, to_eight_bits
from alfa_md.data.open_image import UnreadableImage

COLOUR, GREY, CLEAR = (200, 100, 50), 77, 9
LEVEL = 0x9CFF  # of 16 bits; rounding or clipping would not give its high byte


def one_colour(mode: str, value) -> Image.Image:
    return Image.new(mode, (3, 2), value)


def palette(mode: str) -> Image.Image:
    image = one_colour(mode, 1 if mode == "P" else (1, CLEAR))
    image.putpalette([0, 0, 0, *COLOUR])
    return image


# The image, the mode it is read as, and the value of its pixels.
RULES = {
    "1": (one_colour("1", 1), "1", 255),
    "L": (one_colour("L", GREY), "L", GREY),
    "P": (palette("P"), "RGB", COLOUR),
    "PA": (palette("PA"), "RGB", COLOUR),
    "LA": (one_colour("LA", (GREY, CLEAR)), "L", GREY),
    "La": (one_colour("La", (GREY, 128)), "L", round(GREY * 255 / 128)),
    "RGB": (one_colour("RGB", COLOUR), "RGB", COLOUR),
    "RGBA": (one_colour("RGBA", (*COLOUR, CLEAR)), "RGB", COLOUR),
    "RGBa": (one_colour("RGBa", (100, 50, 25, 128)), "RGB", (199, 99, 49)),
    "RGBX": (one_colour("RGBX", (*COLOUR, CLEAR)), "RGB", COLOUR),
    "CMYK": (one_colour("CMYK", (55, 155, 205, 0)), "RGB", COLOUR),
    "YCbCr": (one_colour("RGB", COLOUR).convert("YCbCr"), "RGB", COLOUR),
    "LAB": (one_colour("LAB", (138, 166, 174)), "RGB", COLOUR),
    "HSV": (one_colour("HSV", (0, 255, 200)), "RGB", (200, 0, 0)),
    "I;16": (one_colour("I;16", LEVEL), "L", LEVEL >> 8),
    "I;16L": (one_colour("I;16L", LEVEL), "L", LEVEL >> 8),
    "I;16B": (one_colour("I;16B", LEVEL), "L", LEVEL >> 8),
    "I;16N": (one_colour("I;16N", LEVEL), "L", LEVEL >> 8),
}


@pytest.mark.parametrize("mode", RULES)
def test_kept_and_converted_modes(mode):
    image, read_as, value = RULES[mode]
    assert image.mode == mode
    read = to_eight_bits(image, "image.png")
    assert read.mode == read_as and read.size == image.size
    np.testing.assert_allclose(np.asarray(read.convert("RGB"), int), np.broadcast_to(value, (2, 3, 3)), atol=2)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_modes_without_eight_bits_are_refused(mode, tmp_path):
    file = tmp_path / "levels.tif"
    one_colour(mode, 1).save(file)
    for read in (read_image, is_grey):
        with pytest.raises(UnreadableImage, match=f"levels.tif: has pixels of mode {mode}; save it with 8 bits"):
            read(file)


@pytest.mark.parametrize(("mode", "ending"), [("I;16", ".png"), ("I;16", ".tif"), ("I;16B", ".tif"), ("I;16", ".pgm")])
def test_the_high_byte_of_files(mode, ending, tmp_path):
    file, levels = tmp_path / f"grey{ending}", np.arange(0, 2**16, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(levels.astype(">u2") if mode == "I;16B" else levels).save(file)
    assert is_grey(file)
    assert np.array_equal(np.asarray(read_image(file)), levels >> 8)


def test_the_high_byte_of_compressed_and_inverted_files():
    levels = np.arange(0, 2**16, 257, dtype=np.uint16).reshape(16, 16)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "TIFF", compression="tiff_lzw")
    assert np.array_equal(np.asarray(read_image("lzw.tif", buffer.getvalue())), levels >> 8)
    white_is_zero = TiffImagePlugin.ImageFileDirectory_v2()
    white_is_zero[262] = 0
    Image.fromarray(levels).save(buffer := io.BytesIO(), "TIFF", tiffinfo=white_is_zero)
    content = buffer.getvalue().replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 0))
    assert np.array_equal(np.asarray(read_image("inverted.tif", content)), 255 - (levels >> 8))


def test_twelve_bits_of_tiff():
    """Two levels in three bytes, 0xABC and 0x123: the high bytes are those of 12 bits."""
    data = bytes([0xAB, 0xC1, 0x23])
    tags = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
    start = 8 + len(data) + 1
    content = b"II*\0" + struct.pack("<I", start) + data + b"\0" + struct.pack("<H", len(tags)) + entries + bytes(4)
    assert np.asarray(read_image("twelve.tif", content)).tolist() == [[0xAB, 0x12]]


@pytest.mark.parametrize("transparency", [1, b"\xff\x09"])
def test_transparency_of_a_palette_is_dropped_without_a_warning(transparency, tmp_path, recwarn):
    palette("P").save(file := tmp_path / "palette.png", transparency=transparency)
    assert np.asarray(read_image(file)).tolist() == [[list(COLOUR)] * 3] * 2 and not recwarn.list


def test_a_png_with_a_flipped_bit_is_refused():
    """Of every byte one: Pillow decodes many of them, to other pixels."""
    buffer = io.BytesIO()
    Image.effect_noise((20, 20), 50).save(buffer, "PNG")
    whole = buffer.getvalue()
    assert read_image("whole.png", whole).size == (20, 20)
    for place in range(8, len(whole)):
        damaged = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        with pytest.raises(UnreadableImage, match="^damaged.png: "):
            read_image("damaged.png", damaged)


def test_the_table_has_every_mode():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {mode.strip(" `") for row in rows for mode in row.split(",")}
    assert named >= set(RULES) | {"I", "F"}
