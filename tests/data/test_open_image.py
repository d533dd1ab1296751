"""Opening of image files: formats, and limits of size that hold before memory is taken."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageFile

from alfa_md.data.image_modes import is_grey, read_image
from alfa_md.data.open_image import FORMATS, MAX_SIDE, UnreadableImage, open_image
from tests.shared import ROOT

KINDS = {"JPEG": "jpg", "PNG": "png", "BMP": "bmp", "GIF": "gif", "PPM": "ppm", "TIFF": "tif", "WEBP": "webp"}


def png_of(width: int, height: int) -> bytes:
    """A whole black PNG of 1 bit; a hundred kilobytes for 10^8 pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer, row = zlib.compressobj(), bytes(1 + -(-width // 8))
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_formats(kind, tmp_path):
    file = tmp_path / f"image.{KINDS[kind]}"
    Image.new("RGB", (4, 3), (9, 99, 199)).save(file)
    with open_image(file) as image:
        assert image.format == kind and image.size == (4, 3)
    assert set(KINDS) == set(FORMATS)


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "PCX"])
def test_other_formats_are_refused_whatever_the_ending(kind, tmp_path):
    Image.new("RGB", (16, 16)).save(file := tmp_path / "image.png", kind)
    for read in (read_image, is_grey):
        with pytest.raises(UnreadableImage, match=r"image\.png: is not a readable image; replace it or remove it"):
            read(file)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # as on import; pytest forgets it
@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (1, 10**6), (MAX_SIDE + 1, 1), (60_000, 1500)])
def test_large_images_are_refused_before_memory_is_taken(width, height, tmp_path, monkeypatch):
    (file := tmp_path / "large.png").write_bytes(png_of(width, height))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    with pytest.raises(UnreadableImage, match=r"large\.png: claims more than 89478485 pixels, or a side of more"):
        read_image(file)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_that_claims_more_than_memory_has():
    tiny = png_of(8, 8)
    for width, height in ((1, 10**8), (10**9, 10**9)):
        header = b"IHDR" + struct.pack(">II", width, height) + tiny[24:29]
        content = tiny[:12] + header + struct.pack(">I", zlib.crc32(header)) + tiny[33:]
        with pytest.raises(UnreadableImage, match="^own.zip: picture 3: claims more than"):
            read_image("own.zip: picture 3", content)


def test_reasons_and_names(tmp_path):
    with pytest.raises(UnreadableImage, match=r"absent\.png: No such file or directory; replace it or remove it"):
        read_image(tmp_path / "absent.png")
    buffer = io.BytesIO()
    Image.effect_noise((50, 50), 50).save(buffer, "PNG")
    with pytest.raises(UnreadableImage, match="^noise: is not a readable image"):
        read_image("noise", buffer.getvalue()[:-500])


def test_nothing_else_opens_images():
    files = (ROOT / "alfa_md").rglob("*.py")
    assert [file.name for file in files if "Image.open(" in file.read_text()] == ["open_image.py"]
