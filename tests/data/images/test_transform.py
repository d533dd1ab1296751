import json

import gin
import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.images.transform import CIFAR, FILTERS, IMAGENET, ConfiguredTransform, Transform
from alfa_md.errors import UserError


def noise(mode: str, size=(11, 7)) -> Image.Image:
    values = np.random.RandomState(0).randint(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


@pytest.mark.parametrize("name", FILTERS)
def test_resize_ignores_the_aspect_ratio_and_uses_the_filter(name):
    image = noise("RGB")
    expected = np.asarray(image.resize((5, 5), getattr(Image.Resampling, name.upper())), dtype=np.float32) / 255
    ours = Transform(size=5, filter=name)(image)
    assert ours.shape == (3, 5, 5) and ours.dtype == torch.float32
    assert torch.equal(ours, torch.from_numpy(expected).permute(2, 0, 1))


def test_filters_differ():
    results = [Transform(size=5, filter=name)(noise("RGB")) for name in FILTERS]
    assert all(not torch.equal(a, b) for i, a in enumerate(results) for b in results[:i])


@pytest.mark.parametrize("statistics", [IMAGENET, CIFAR])
def test_normalisation_is_by_channel(statistics):
    image = noise("RGB")
    raw, ours = Transform(size=6)(image), Transform(size=6, **statistics)(image)
    for channel in range(3):
        expected = (raw[channel] - statistics["mean"][channel]) / statistics["std"][channel]
        torch.testing.assert_close(ours[channel], expected)


def test_constants_are_those_of_the_experiments():
    assert IMAGENET == {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    assert CIFAR == {"mean": (0.5071, 0.4847, 0.4408), "std": (0.2675, 0.2565, 0.2761)}


def test_grey_becomes_three_equal_channels_and_colour_its_luminance():
    grey = Transform(size=6)(noise("L"))
    assert torch.equal(grey[0], grey[1]) and torch.equal(grey[0], grey[2])
    assert torch.equal(grey[:1], Transform(size=6, channels=1)(noise("L")))
    assert Transform(size=6, channels=1)(noise("RGB")).shape == (1, 6, 6)


@pytest.mark.parametrize("channels", [1, 3])
def test_one_bit_images_are_zero_and_one_and_can_be_inverted(channels):
    ink = Image.new("1", (4, 4), 1)
    ink.putpixel((1, 2), 0)  # (x, y)
    ours = Transform(size=4, filter="lanczos", channels=channels)(ink)
    expected = torch.ones(channels, 4, 4)
    expected[:, 2, 1] = 0
    assert torch.equal(ours, expected)
    assert torch.equal(Transform(size=4, channels=channels, invert=True)(ink), 1 - expected)


def test_one_bit_images_are_resized_smoothly():
    """Pillow would take the nearest pixel of them."""
    stripes = Image.fromarray(np.tile([True, False], (8, 4)))
    assert set(Transform(size=3, filter="nearest")(stripes).unique().tolist()) <= {0.0, 1.0}
    smooth = Transform(size=3, filter="lanczos")(stripes)
    assert torch.equal(smooth, Transform(size=3, filter="lanczos")(stripes.convert("L")))
    assert ((smooth > 0.2) & (smooth < 0.8)).all()


@pytest.mark.parametrize(
    "values, message",
    [
        ({"size": 0}, "Transform.size = 0 must be at least 1"),
        ({"filter": "cubic"}, "Transform.filter = 'cubic' must be one of nearest, box, bilinear"),
        ({"channels": 2}, "Transform.channels = 2 must be 1 or 3"),
        ({"mean": (0.5, 0.5, 0.5)}, "go together"),
        ({"channels": 1, **IMAGENET}, "must have 1 values, one a channel"),
        ({"mean": (0, 0, 0), "std": (1, 0, 1)}, "must be positive"),
    ],
)
def test_an_invalid_value_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        Transform(**values)


def test_the_stamp_survives_json():
    stamp = Transform(**IMAGENET).stamp()
    assert json.loads(json.dumps(stamp)) == stamp
    assert stamp["filter"] == "bicubic" and stamp["mean"] == [0.485, 0.456, 0.406]


def test_bindings_reach_the_transform_of_a_gin_file_but_not_those_of_data_sets():
    gin.clear_config()
    try:
        gin.parse_config(["Transform.size = 28", "Transform.filter = 'lanczos'", "Transform.invert = True"])
        made = ConfiguredTransform()
        assert (made.size, made.filter, made.invert) == (28, "lanczos", True)
        assert Transform() == Transform(size=84, filter="bicubic", invert=False)
    finally:
        gin.clear_config()
