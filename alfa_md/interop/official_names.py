"""Names and layouts of backbone and classifier tensors in Meta-Dataset's TensorFlow program and in this package.

TensorFlow's conv weights are HWIO, its classifier weights [D, L], and scale and offset of batch normalisation
[1, 1, 1, C]. The official four-layer network flattens height, width, channel, as ours does, so that its classifier
needs no permutation.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Convert = Callable[[np.ndarray], np.ndarray]


class Layout(NamedTuple):
    """Conversion between the two layouts of one kind of tensor. `to_ours` raises ValueError for another rank."""

    to_ours: Convert
    to_official: Convert


CONV_WEIGHT = Layout(lambda a: a.transpose(3, 2, 0, 1), lambda a: a.transpose(2, 3, 1, 0))
NORM_PARAMETER = Layout(lambda a: a.reshape(a.shape[-1:]), lambda a: a.reshape(1, 1, 1, -1))
LINEAR_WEIGHT = Layout(lambda a: a.transpose(1, 0), lambda a: a.transpose(1, 0))
VECTOR = Layout(lambda a: a, lambda a: a)


class TensorPair(NamedTuple):
    """One tensor: its names in both programs, and its shape in ours; None stands for any size."""

    official: str
    ours: str
    shape: tuple[int | None, ...]
    layout: Layout


class Network(NamedTuple):
    """A backbone of the official program with its variable scope, and its optional classifiers."""

    scope: str
    backbone: tuple[TensorPair, ...]
    classifiers: tuple[TensorPair, ...]


def conv(official: str, ours: str, shape: tuple[int, ...]) -> Iterator[TensorPair]:
    """The pair for a convolution with a weight of `shape`, OIHW."""
    yield TensorPair(f"{official}/weight", f"backbone.{ours}.weight", shape, CONV_WEIGHT)


def batch_norm(official: str, ours: str, channels: int) -> Iterator[TensorPair]:
    yield TensorPair(f"{official}/batch_norm/scale", f"backbone.{ours}.weight", (channels,), NORM_PARAMETER)
    yield TensorPair(f"{official}/batch_norm/offset", f"backbone.{ours}.bias", (channels,), NORM_PARAMETER)


def conv_bn(official: str, kernel: str, norm: str, shape: tuple[int, ...]) -> Iterator[TensorPair]:
    """The pairs for a convolution followed by batch normalisation."""
    yield from conv(official, kernel, shape)
    yield from batch_norm(official, norm, shape[0])


def four_layer_convnet() -> Iterator[TensorPair]:
    for i, channels in enumerate((3, 64, 64, 64)):
        yield from conv_bn(f"four_layer_convnet/layer_{i}", f"layers.{i}.0", f"layers.{i}.1", (64, channels, 3, 3))


def resnet18() -> Iterator[TensorPair]:
    yield from conv_bn("resnet18/conv1", "stem.0", "stem.1", (64, 3, 7, 7))
    widths = (64, 64, 128, 256, 512)
    for stage, (c, d) in enumerate(zip(widths, widths[1:], strict=False)):
        for block, channels in enumerate((c, d)):
            official, ours = f"resnet18/conv{stage + 2}_x/bottleneck_{block}", f"stages.{stage}.{block}"
            yield from conv_bn(f"{official}/conv1", f"{ours}.residual.0", f"{ours}.residual.1", (d, channels, 3, 3))
            yield from conv_bn(f"{official}/conv2", f"{ours}.residual.3", f"{ours}.residual.4", (d, d, 3, 3))
            if block == 0:
                projection = f"{official}/identity/projection_conv"
                yield from conv_bn(projection, f"{ours}.shortcut.0", f"{ours}.shortcut.1", (d, c, 1, 1))


def wide_resnet() -> Iterator[TensorPair]:
    yield from conv("wide_resnet/conv1", "stem", (16, 3, 3, 3))
    widths = (16, 32, 64, 128)
    for group, (c, d) in enumerate(zip(widths, widths[1:], strict=False)):
        for block, channels in enumerate((c, d)):
            official, ours = f"wide_resnet/conv{group + 2}_x/wide_block_{block}", f"groups.{group}.{block}"
            yield from batch_norm(f"{official}/conv1", f"{ours}.activation.0", channels)
            yield from conv(f"{official}/conv1", f"{ours}.residual.0", (d, channels, 3, 3))
            yield from batch_norm(f"{official}/conv2", f"{ours}.residual.1", d)
            yield from conv(f"{official}/conv2", f"{ours}.residual.3", (d, d, 3, 3))
            yield from conv(f"{official}/identity/projection_conv", f"{ours}.shortcut", (d, channels, 1, 1))
    yield from batch_norm("wide_resnet/embedding_layer", "activation.0", widths[-1])


def classifiers(num_features: int | None) -> Iterator[TensorPair]:
    """The pairs for MAML's meta-learned head, and for the pretraining's classifier over all training classes."""
    for official, ours in (("linear_classifier", "head"), ("fc", "classifier")):
        yield TensorPair(f"{official}/weight", f"{ours}.weight", (None, num_features), LINEAR_WEIGHT)
        yield TensorPair(f"{official}/bias", f"{ours}.bias", (None,), VECTOR)


NETWORKS = (
    Network("resnet18", tuple(resnet18()), tuple(classifiers(512))),
    Network("wide_resnet", tuple(wide_resnet()), tuple(classifiers(128))),
    Network("four_layer_convnet", tuple(four_layer_convnet()), tuple(classifiers(None))),  # 64 (size // 16)^2
)
