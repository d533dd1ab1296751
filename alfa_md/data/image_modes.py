"""Conversion of images of every Pillow mode to 8 bits a value, grey or RGB; docs/data.md has the table."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from alfa_md.data.open_image import UnreadableImage, open_image
from alfa_md.data.tfrecord.png_decoder import checked

GREY = ("1", "L")
HIGH_BYTE = ("I;16", "I;16B", "I;16L", "I;16N")
# Pillow converts by these steps; transparency is dropped.
STEPS = {
    "1": (),
    "L": (),
    "LA": ("L",),
    "La": ("LA", "L"),
    "P": ("RGBA", "RGB"),  # with transparency, Pillow would warn on the direct way
    "PA": ("RGBA", "RGB"),
    "RGB": (),
    "RGBA": ("RGB",),
    "RGBa": ("RGBA", "RGB"),
    "RGBX": ("RGB",),
    "CMYK": ("RGB",),
    "YCbCr": ("RGB",),
    "LAB": ("RGB",),
    "HSV": ("RGB",),
}
BITS, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0  # TIFF tags, and a value of the second


def read_image(file: Path | str, content: bytes | None = None) -> Image.Image:
    """The image in a file, or in `content`, of mode 1, L or RGB; of 16-bit grey the high byte.

    Raises UnreadableImage naming `file`, also for modes without such a conversion (floats, 32 bits).
    """
    with open_image(file, content) as image:
        return load_eight_bits(image, file)


def load_eight_bits(image: ImageFile.ImageFile, name: Path | str) -> Image.Image:
    """The decoded image in mode 1, L or RGB, within a block of `open_image`.

    Raises UnreadableImage naming `name` for modes without a conversion; other errors of damaged images by that block.
    """
    if image.format == "PNG":  # Pillow does not look at the checksum of pixels
        place = image.fp.tell()
        image.fp.seek(0)
        checked(image.fp.read())
        image.fp.seek(place)
    image.load()
    return to_eight_bits(image, name)


def to_eight_bits(image: Image.Image, name: Path | str) -> Image.Image:
    """The image in mode 1, L or RGB. Raises UnreadableImage naming `name` for modes without a conversion."""
    if _is_sixteen_bit_grey(image):
        return _high_byte(image)
    if image.mode not in STEPS:
        raise UnreadableImage(f"{name}: has pixels of mode {image.mode}; save it with 8 bits a value, grey or RGB")
    for mode in STEPS[image.mode]:
        image = image.convert(mode)
    return image


def is_grey(file: Path) -> bool:
    """True if the image in a file is read as grey, by its header. Raises UnreadableImage naming an invalid file."""
    with open_image(file) as image:
        if _is_sixteen_bit_grey(image):
            return True
        one_pixel = to_eight_bits(Image.new(image.mode, (1, 1)), file)
        return one_pixel.mode in GREY


def _is_sixteen_bit_grey(image: Image.Image) -> bool:
    """True also of PGM files with more than 8 bits, which Pillow scales to 16 and stores in 32."""
    return image.mode in HIGH_BYTE or (image.mode == "I" and image.format == "PPM")


def _high_byte(image: Image.Image) -> Image.Image:
    """The 8 most significant bits; TIFF has files of 12 bits, and of inverted levels, which Pillow leaves so."""
    tags = getattr(image, "tag_v2", {})
    levels = np.asarray(image) >> (tags.get(BITS, (16,))[0] - 8)
    white_is_zero = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
    return Image.fromarray((255 - levels if white_is_zero else levels).astype(np.uint8))
