import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.data.tfrecord.turbo_decoder import CHUNK, MAX_RUN_PIXELS, TurboDecoder, _equal_size_runs
from alfa_md.errors import UserError
from alfa_md.pixels import normalise
from tests.shared import shared_data


@pytest.fixture(params=[TensorflowDecoder, TurboDecoder])
def kind_of_decoder(request) -> type[Decoder]:
    """Each decoder class; skips those whose library is not installed."""
    library = {TensorflowDecoder: "tensorflow", TurboDecoder: "simplejpeg"}[request.param]
    pytest.importorskip(library, reason=f"{library} is not installed")
    return request.param


def encoded(pixels: np.ndarray, kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)


def plain_pixels(image: bytes) -> np.ndarray:
    """Decoded [H, W, 3] uint8; JPEG with the fast integer DCT and smooth chroma, TensorFlow's default."""
    if image.startswith(b"\xff\xd8"):
        simplejpeg = pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
        return simplejpeg.decode_jpeg(image, colorspace="RGB", fastdct=True, fastupsample=False)
    return np.array(Image.open(io.BytesIO(image)).convert("RGB"))


def plain_resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Reference bilinear resize in float32 with aligned corners, without antialiasing."""

    def taps(length):
        ratio = np.float32(length - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
        place = np.arange(size, dtype=np.float32) * ratio
        low = np.floor(place).astype(int)
        return low, np.minimum(low + 1, length - 1), place - low.astype(np.float32)

    pixels = pixels.astype(np.float32)
    (top, bottom, down), (left, right, along) = taps(pixels.shape[0]), taps(pixels.shape[1])
    along, down = along[None, :, None], down[:, None, None]
    upper = pixels[top][:, left] + (pixels[top][:, right] - pixels[top][:, left]) * along
    lower = pixels[bottom][:, left] + (pixels[bottom][:, right] - pixels[bottom][:, left]) * along
    return upper + (lower - upper) * down


def plain(images: list[bytes], size: int) -> np.ndarray:
    """[N, S, S, 3] in [-1, 1], with true float32 division."""
    resized = np.stack([plain_resize(plain_pixels(image), size) for image in images])
    return np.float32(2) * (resized / np.float32(255) - np.float32(0.5))


def assert_equal_to_plain(kind_of_decoder: type[Decoder], images: list[bytes], size: int) -> None:
    ours = kind_of_decoder(size)(images)
    assert ours.shape == (len(images), 3, size, size) and ours.dtype == torch.float32
    assert ours.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(ours.permute(0, 2, 3, 1).numpy(), plain(images, size))


def stored_images(file: str, key: str, every: int) -> list[bytes]:
    with np.load(shared_data(file)) as archive:
        data, offset = archive[key], archive["offset"]
    return [data[offset[i] : offset[i + 1]].tobytes() for i in range(0, len(offset) - 1, every)]


@pytest.mark.parametrize("size", [28, 84])
def test_photographs_are_bit_identical(kind_of_decoder, size):
    assert_equal_to_plain(kind_of_decoder, stored_images("caltech101_subset.npz", "jpeg", every=40), size)


def test_traffic_signs_are_bit_identical(kind_of_decoder):
    assert_equal_to_plain(kind_of_decoder, stored_images("traffic_sign_subset.npz", "png", every=40), 84)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("size", [1, 32, 33])
def test_odd_sizes_and_grey(kind_of_decoder, kind, size):
    shapes = [(1, 1), (1, 7), (7, 1), (2, 3), (31, 97), (32, 32), (100, 33)]
    images = [encoded(noise(h, w, channels), kind) for h, w in shapes for channels in (1, 3)]
    assert_equal_to_plain(kind_of_decoder, images, size)


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 10}])
def test_kinds_of_jpeg(kind_of_decoder, options):
    assert_equal_to_plain(kind_of_decoder, [encoded(noise(45, 61, seed=i), "JPEG", **options) for i in range(3)], 32)


def nearly_grey(row: int, channel: int, seed: int) -> np.ndarray:
    """[9, 11, 3], grey but for one channel of one pixel."""
    pixels = noise(9, 11, 1, seed)[..., None].repeat(3, axis=2)
    pixels[row, -1, channel] ^= 1
    return pixels


def test_sizes_forms_and_colours_mixed_in_one_call(kind_of_decoder):
    """Runs of equal size above and below the chunk size; single colour pixels in otherwise grey images."""
    grey = [noise(9, 11, 1, seed) for seed in range(2 * CHUNK + 3)]
    hidden = [nearly_grey(row, channel, row) for row in (0, 4, 8) for channel in range(3)]
    pixels = [*grey, *hidden, noise(9, 11), *grey[:3], noise(11, 9), noise(11, 9, 1), noise(9, 11), *hidden[4:6], *grey]
    for kinds in (["PNG"], ["JPEG"], ["JPEG", "PNG", "BMP"]):
        images = [encoded(each, kinds[n % len(kinds)], quality=100) for n, each in enumerate(pixels)]
        assert_equal_to_plain(kind_of_decoder, images, 14)


def test_unnormalised_images(kind_of_decoder):
    images = [encoded(noise(13, 8, channels), "JPEG") for channels in (1, 3, 3)]
    levels = kind_of_decoder(10).decode_unnormalised(images)
    expected = np.stack([plain_resize(plain_pixels(image), 10) for image in images])
    np.testing.assert_array_equal(levels.permute(0, 2, 3, 1).numpy(), expected)
    assert torch.equal(normalise(levels), kind_of_decoder(10)(images))


def test_neighbours_of_one_size_make_a_run():
    small, large = (10, 10), (1000, MAX_RUN_PIXELS)
    sizes = [small, small, (10, 11), (11, 10), small, large, large, small, small]
    runs = [range(0, 2), range(2, 3), range(3, 4), range(4, 5), range(5, 6), range(6, 7), range(7, 9)]
    assert list(_equal_size_runs(sizes, range(9))) == runs
    assert list(_equal_size_runs(sizes, range(1, 3))) == [range(1, 2), range(2, 3)]
    half = (MAX_RUN_PIXELS // 2, 1)
    assert list(_equal_size_runs(5 * [half], range(5))) == [range(0, 2), range(2, 4), range(4, 5)]


def test_the_buffer_starts_at_an_odd_address():
    pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")
    decoder = TurboDecoder(8)
    for size in (1000, 10, 2001):
        buffer = decoder._buffer(size)
        assert len(buffer) == size and buffer.ctypes.data % 2 == 1


def test_transparency_is_dropped(kind_of_decoder):
    pixels = noise(9, 8, 4)
    decode = kind_of_decoder(16)
    assert torch.equal(decode([encoded(pixels, "PNG")]), decode([encoded(pixels[..., :3].copy(), "PNG")]))


def test_range_and_order(kind_of_decoder):
    levels = [0, 255, 51, 204]
    images = [encoded(np.full((3, 3, 3), level, np.uint8), "PNG") for level in levels]
    means = kind_of_decoder(4)(images).mean(dim=(1, 2, 3))
    torch.testing.assert_close(means, torch.tensor([-1.0, 1.0, -0.6, 0.6]))


def test_one_trace_serves_every_number_of_images(tf, monkeypatch):
    decode = TensorflowDecoder(8)
    monkeypatch.setattr(decode, "_pipeline", lambda images: pytest.fail("traced again"))
    image = encoded(noise(5, 5), "PNG")
    assert [len(decode([image] * n)) for n in (1, 2, 7)] == [1, 2, 7]


def test_calls_from_many_threads(kind_of_decoder):
    decode = kind_of_decoder(16)
    batches = [[encoded(noise(20, 20, seed=100 * b + i), "PNG") for i in range(10 + b)] for b in range(12)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(decode, batches))
    assert all(torch.equal(ours, decode(batch)) for ours, batch in zip(together, batches, strict=True))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"not an image",
        encoded(noise(60, 60), "JPEG")[:900],
        encoded(noise(60, 60), "PNG")[:900],
        *(encoded(noise(6, 6), kind) for kind in ("GIF", "WEBP", "TIFF", "PPM")),
    ],
    ids=["empty", "text", "truncated JPEG", "truncated PNG", "GIF", "WebP", "TIFF", "PPM"],
)
def test_undecodable_image_is_counted_out(kind_of_decoder, bad):
    good = encoded(noise(6, 6), "PNG")
    with pytest.raises(UndecodableImage, match="image 2 is not a whole still picture") as caught:
        kind_of_decoder(8)([good, good, bad, good])
    assert caught.value.position == 2


def test_undecodable_image_within_a_run_of_one_size(kind_of_decoder):
    images = [encoded(noise(60, 60, seed=seed), "JPEG") for seed in range(2 * CHUNK)]
    images[CHUNK + 3] = images[0][:900]
    images[CHUNK + 5] = images[1][:900]
    with pytest.raises(UndecodableImage) as caught:
        kind_of_decoder(8)(images)
    assert caught.value.position == CHUNK + 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_an_image_without_pixels(kind_of_decoder, kind):
    with pytest.raises(UndecodableImage, match="image 1 is not a whole still picture"):
        kind_of_decoder(8)([encoded(noise(6, 6), kind), claiming(kind, 0)])


@pytest.mark.parametrize("length", [9, 10, 11, 20])
def test_a_jpeg_that_ends_with_its_size(kind_of_decoder, length):
    whole = encoded(noise(6, 6), "JPEG")
    with pytest.raises(UndecodableImage, match="image 0 is not a whole still picture"):
        kind_of_decoder(8)([whole[: whole.find(b"\xff\xc0") + length]])


def claiming(kind: str, side: int) -> bytes:
    """A small image whose header claims `side` x `side` pixels."""
    image = encoded(noise(6, 6), kind)
    place, size, order = {
        "PNG": (16, 4, "big"),
        "BMP": (18, 4, "little"),
        "JPEG": (image.find(b"\xff\xc0") + 5, 2, "big"),
    }[kind]
    return image[:place] + 2 * side.to_bytes(size, order) + image[place + 2 * size :]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_an_absurdly_large_image_is_refused_before_it_is_decoded(kind_of_decoder, kind, monkeypatch):
    decode = kind_of_decoder(8)
    monkeypatch.setattr(decode, "_decode_batch", lambda *arguments: pytest.fail("decoded"))
    with pytest.raises(UndecodableImage, match="image 1 claims 60000 x 60000 pixels, not below .*100000000") as caught:
        decode([encoded(noise(6, 6), kind), claiming(kind, 60000)])
    assert caught.value.position == 1


def test_the_limit_of_pixels_can_be_chosen(kind_of_decoder):
    image = encoded(noise(6, 5), "PNG")
    assert len(kind_of_decoder(8, max_pixels=31)([image])) == 1
    with pytest.raises(UndecodableImage, match=f"5 x 6 pixels, not below {kind_of_decoder.name}.max_pixels = 30;"):
        kind_of_decoder(8, max_pixels=30)([image])


@pytest.mark.parametrize("arguments", [{"image_size": 0}, {"num_threads": 0}, {"max_pixels": 0}])
def test_bad_arguments(kind_of_decoder, arguments):
    with pytest.raises(UserError, match=rf"{kind_of_decoder.name}\.\w+ = 0 must be at least 1"):
        kind_of_decoder(**arguments)
