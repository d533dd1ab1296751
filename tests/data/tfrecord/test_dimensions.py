"""Image dimensions read from headers, compared with Pillow."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from alfa_md.data.tfrecord.dimensions import dimensions
from alfa_md.data.tfrecord.jpeg_segments import read_frame
from tests.shared import shared_data
from tests.spliced_jpegs import JFIF, encoded, smooth, spliced


def picture(width: int, height: int, kind: str, mode: str = "RGB", **options) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), 1).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_sizes_of_all_forms(kind, mode):
    assert dimensions(picture(300, 7, kind, mode)) == (300, 7)


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 5}, {"comment": b"\xff\xc0" * 30}])
def test_kinds_of_jpeg(options):
    assert dimensions(picture(301, 17, "JPEG", **options)) == (301, 17)


def test_a_thumbnail_in_a_jpeg_is_ignored():
    thumbnail = picture(8, 8, "JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = picture(300, 7, "JPEG")
    assert dimensions(whole[:2] + segment + b"\xff\xff" + whole[2:]) == (300, 7)


def test_bitmaps_of_os2_and_from_top_to_bottom():
    assert dimensions(b"BM" + bytes(12) + b"\x0c\0\0\0" + b"\x2c\x01\x07\0") == (300, 7)
    bottom_up = picture(300, 7, "BMP")
    assert dimensions(bottom_up[:22] + (-7).to_bytes(4, "little", signed=True) + bottom_up[26:]) == (300, 7)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_header_that_is_cut_off_has_no_size(kind):
    whole = picture(300, 7, kind)
    sizes = [dimensions(whole[:length]) for length in range(len(whole))]
    first = sizes.index((300, 7))
    assert set(sizes[:first]) == {None} and set(sizes[first:]) == {(300, 7)}


@pytest.mark.parametrize("image", [b"", b"text", picture(3, 3, "GIF"), b"\xff\xd8" + b"\xff\xd9" * 9])
def test_other_files_have_no_size(image):
    assert dimensions(image) is None


@pytest.mark.parametrize(("file", "key"), [("caltech101_subset.npz", "jpeg"), ("traffic_sign_subset.npz", "png")])
def test_real_images(file, key):
    with np.load(shared_data(file)) as archive:
        data, offset = archive[key], archive["offset"]
    for i in range(0, len(offset) - 1, 20):
        image = data[offset[i] : offset[i + 1]].tobytes()
        assert dimensions(image) == Image.open(io.BytesIO(image)).size


def test_jpegs_that_simplejpeg_refuses_have_a_size():
    unusual = spliced(24, [(3, 1), (1, 1), (1, 1)])
    unknown = spliced(24, 4 * [(1, 1)], JFIF.replace(b"JFIF\0\1", b"JFIF\0\3"))
    before_scans = encoded(smooth(24, 24, mode="RGB")).partition(b"\xff\xc4")[0]
    for image in (unusual, unknown, before_scans):
        with pytest.raises((ValueError, KeyError)):
            simplejpeg.decode_jpeg_header(image)
        assert dimensions(image) == (24, 24)


def test_jpegs_are_sized_as_libjpeg_sizes_them():
    """The decoder allocates by our dimensions and fills by libjpeg's, also for damaged headers."""
    rng, whole, sized = np.random.RandomState(0), picture(300, 7, "JPEG", progressive=True), 0
    for _ in range(3000):
        image = bytearray(whole)
        for place in rng.randint(3, len(whole), 2):
            image[place] = rng.choice([0, 1, 0xC0, 0xC2, 0xD8, 0xDC, 0xE1, 0xFE, 0xFF, rng.randint(256)])
        try:
            height, width, space, _ = simplejpeg.decode_jpeg_header(bytes(image), strict=False)
        except (ValueError, KeyError):  # the latter of a subsampling that it has no name for
            continue
        sized += 1
        assert dimensions(bytes(image)) == read_frame(bytes(image))[1:3] == (width, height)
        assert (read_frame(bytes(image)).channels == 4) == (space in ("CMYK", "YCCK"))
    assert sized > 1000
