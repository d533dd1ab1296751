"""The names and layouts that Meta-Dataset's own TensorFlow program gives to the tensors that we have too.

Its kernels are HWIO, its classifier weights [D, L], and the scale and offset of its batch normalisation keep the
dimensions of the moments, [1, 1, 1, C]. Its four-layer network flattens height, width, channel, as ours does, so that
a classifier on top of it needs no permutation.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Convert = Callable[[np.ndarray], np.ndarray]


class Layout(NamedTuple):
    """How one kind of tensor is laid out there against here. `to_ours` raises ValueError on another rank."""

    to_ours: Convert
    to_official: Convert


KERNEL = Layout(lambda a: a.transpose(3, 2, 0, 1), lambda a: a.transpose(2, 3, 1, 0))
MOMENT = Layout(lambda a: a.reshape(a.shape[-1:]), lambda a: a.reshape(1, 1, 1, -1))
MATRIX = Layout(lambda a: a.transpose(1, 0), lambda a: a.transpose(1, 0))
VECTOR = Layout(lambda a: a, lambda a: a)


class Pair(NamedTuple):
    """One tensor under both names, with the shape it has here; None stands for any size."""

    official: str
    ours: str
    shape: tuple[int | None, ...]
    layout: Layout


class Network(NamedTuple):
    """A backbone of the official program, under its variable scope, and the classifiers that may come with it."""

    scope: str
    backbone: tuple[Pair, ...]
    classifiers: tuple[Pair, ...]


def conv(official: str, ours: str, shape: tuple[int, ...]) -> Iterator[Pair]:
    """A convolution with a kernel OIHW of `shape`."""
    yield Pair(f"{official}/weight", f"backbone.{ours}.weight", shape, KERNEL)


def batch_norm(official: str, ours: str, channels: int) -> Iterator[Pair]:
    yield Pair(f"{official}/batch_norm/scale", f"backbone.{ours}.weight", (channels,), MOMENT)
    yield Pair(f"{official}/batch_norm/offset", f"backbone.{ours}.bias", (channels,), MOMENT)


def conv_bn(official: str, kernel: str, norm: str, shape: tuple[int, ...]) -> Iterator[Pair]:
    """A convolution and the batch normalisation after it."""
    yield from conv(official, kernel, shape)
    yield from batch_norm(official, norm, shape[0])


def four_layer_convnet() -> Iterator[Pair]:
    for i, channels in enumerate((3, 64, 64, 64)):
        yield from conv_bn(f"four_layer_convnet/layer_{i}", f"layers.{i}.0", f"layers.{i}.1", (64, channels, 3, 3))


def resnet18() -> Iterator[Pair]:
    yield from conv_bn("resnet18/conv1", "stem.0", "stem.1", (64, 3, 7, 7))
    widths = (64, 64, 128, 256, 512)
    for stage, (c, d) in enumerate(zip(widths, widths[1:], strict=False)):
        for block, channels in enumerate((c, d)):
            there, here = f"resnet18/conv{stage + 2}_x/bottleneck_{block}", f"stages.{stage}.{block}"
            yield from conv_bn(f"{there}/conv1", f"{here}.residual.0", f"{here}.residual.1", (d, channels, 3, 3))
            yield from conv_bn(f"{there}/conv2", f"{here}.residual.3", f"{here}.residual.4", (d, d, 3, 3))
            if block == 0:
                projection = f"{there}/identity/projection_conv"
                yield from conv_bn(projection, f"{here}.shortcut.0", f"{here}.shortcut.1", (d, c, 1, 1))


def wide_resnet() -> Iterator[Pair]:
    yield from conv("wide_resnet/conv1", "stem", (16, 3, 3, 3))
    widths = (16, 32, 64, 128)
    for group, (c, d) in enumerate(zip(widths, widths[1:], strict=False)):
        for block, channels in enumerate((c, d)):
            there, here = f"wide_resnet/conv{group + 2}_x/wide_block_{block}", f"groups.{group}.{block}"
            yield from batch_norm(f"{there}/conv1", f"{here}.activation.0", channels)
            yield from conv(f"{there}/conv1", f"{here}.residual.0", (d, channels, 3, 3))
            yield from batch_norm(f"{there}/conv2", f"{here}.residual.1", d)
            yield from conv(f"{there}/conv2", f"{here}.residual.3", (d, d, 3, 3))
            yield from conv(f"{there}/identity/projection_conv", f"{here}.shortcut", (d, channels, 1, 1))
    yield from batch_norm("wide_resnet/embedding_layer", "activation.0", widths[-1])


def classifiers(num_features: int | None) -> Iterator[Pair]:
    """MAML's meta-learned head, and the classifier over all training classes of the pretraining."""
    for there, here in (("linear_classifier", "head"), ("fc", "classifier")):
        yield Pair(f"{there}/weight", f"{here}.weight", (None, num_features), MATRIX)
        yield Pair(f"{there}/bias", f"{here}.bias", (None,), VECTOR)


NETWORKS = (
    Network("resnet18", tuple(resnet18()), tuple(classifiers(512))),
    Network("wide_resnet", tuple(wide_resnet()), tuple(classifiers(128))),
    Network("four_layer_convnet", tuple(four_layer_convnet()), tuple(classifiers(None))),  # 64 (size // 16)^2
)
