"""Rows of the backbone contract: sizes, decayed tensors, and a small instance for computations."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from unittest import mock

import torch
from torch import nn

from alfa_md.backbones import resnet12, resnet18
from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.backbones.wide_resnet import WideResNet
from alfa_md.episode import Episode
from alfa_md.kernels.convolution import Convolution
from alfa_md.normalization import EpisodicBatchNorm
from tests.backbones import foreign_networks
from tests.episodes import random_episode


class Row(NamedTuple):
    """A backbone at full size with its counts, and a `small` one for images of `size` pixels."""

    full: Callable[[], nn.Module]
    parameters: int
    tensors: int
    features: dict[int, int]  # by image size; for RegressionMLP by the dimension of a point
    decayed: set[str]
    small: Callable[[], nn.Module]
    size: int
    refused: str | None = None  # the error line of small(images of refused_size x 20 pixels)
    refused_size: int = 0

    def inputs(self, size: int, number: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Random images, or random points of dimension `size`."""
        shape = (number, size) if self.full is RegressionMLP else (number, 3, size, size)
        return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)

    def episode(self, seed: int) -> Episode:
        """Two classes with shots 2 and 1, in float64."""
        episode = random_episode(2, (2, 1), queries=2, size=self.size, seed=seed)
        if self.full is RegressionMLP:
            return episode._replace(support_x=episode.support_x[:, 0, 0], query_x=episode.query_x[:, 0, 0])
        return episode


def names(*patterns: str, **values: object) -> set[str]:
    """The patterns formatted with every combination of the values, such as `names("{i}.weight", i=range(2))`."""
    if not values:
        return set(patterns)
    (key, options), *others = values.items()
    filled = (pattern.replace(f"{{{key}}}", str(value)) for pattern in patterns for value in options)
    return names(*filled, **dict(others))


def narrow_resnet12() -> resnet12.ResNet12:
    """A ResNet12 with few filters."""
    with mock.patch.object(resnet12, "WIDTHS", (4, 4, 6, 8)):
        return resnet12.ResNet12()


def narrow_resnet18() -> resnet18.ResNet18:
    """A ResNet18 with a sixteenth of the filters."""

    def convolution(c: int, d: int, *size: int, **options: object) -> nn.Module:
        return Convolution(max(c // 16, 3), d // 16, *size, **options)

    def batch_norm(channels: int) -> nn.Module:
        return EpisodicBatchNorm(channels // 16)

    with mock.patch.multiple(resnet18, Convolution=convolution, EpisodicBatchNorm=batch_norm):
        return resnet18.ResNet18()


class TorchEncoder(nn.Module):
    """A user's backbone on PyTorch's encoder layers, with their fused kernels; not part of the package."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Linear(48, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        patches = images.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        return self.encoder(self.patches(patches)).mean(dim=1)


FOUR_LAYERS = names("layers.{i}.0.weight", i=range(4))
ROWS = {
    "conv4": Row(
        Conv4,
        *(64_080, 16, {84: 1200, 32: 192, 28: 48}),
        decayed=FOUR_LAYERS,
        small=partial(Conv4, num_filters=4),
        size=16,
        refused="Conv4 needs 16 pixels a side or more, not 15x20; raise IMAGE_SIZE",
        refused_size=15,
    ),
    "four_layer_convnet": Row(
        FourLayerConvNet,
        *(112_832, 12, {126: 3136, 84: 1600, 28: 64}),
        decayed=FOUR_LAYERS,
        small=partial(FourLayerConvNet, num_filters=4),
        size=16,
        refused="FourLayerConvNet needs 16 pixels a side or more, not 15x20; raise IMAGE_SIZE",
        refused_size=15,
    ),
    "resnet12": Row(
        resnet12.ResNet12,
        *(7_996_800, 48, {84: 512, 32: 512}),
        decayed=names("blocks.{i}.residual.{j}.weight", "blocks.{i}.shortcut.0.weight", i=range(4), j=(0, 3, 6)),
        small=narrow_resnet12,
        size=8,
        refused="ResNet12 needs 4 pixels a side or more, not 3x20; raise IMAGE_SIZE",
        refused_size=3,
    ),
    "resnet18": Row(
        resnet18.ResNet18,
        *(11_180_736, 63, {126: 512, 84: 512}),
        decayed={"stem.0.weight"}
        | names("stages.{i}.{j}.residual.{k}.weight", i=range(4), j=range(2), k=(0, 3))
        | names("stages.{i}.0.shortcut.0.weight", i=range(4)),
        small=narrow_resnet18,
        size=8,
    ),
    "wide_resnet": Row(
        WideResNet,
        *(711_888, 45, {126: 128, 84: 128}),
        decayed={"stem.weight"}
        | names("groups.{i}.{j}.residual.{k}.weight", i=range(3), j=range(2), k=(0, 3))
        | names("groups.{i}.{j}.shortcut.weight", i=range(3), j=range(2)),
        small=WideResNet,
        size=6,
    ),
    "mlp": Row(
        RegressionMLP,
        *(1_720, 4, {1: 40}),
        decayed=set(),
        small=partial(RegressionMLP, (5, 4), in_features=3),
        size=3,
    ),
    "vit_tiny": Row(
        VitTiny,
        *(169_600, 41, {84: 64}),
        decayed={"patches.weight"} | names("blocks.{i}.{j}.weight", i=range(3), j=("qkv", "output", "mlp.0", "mlp.2")),
        small=partial(VitTiny, image_size=8, patch_size=4, width=8, depth=2, num_heads=2),
        size=8,
        refused="VitTiny is made for 8x8 pixels, not 12x20; set VitTiny.image_size and IMAGE_SIZE to one value",
        refused_size=12,
    ),
    "torch's encoder": Row(
        TorchEncoder,
        *(1_592, 26, {8: 8}),
        decayed={"patches.weight"}
        | names("encoder.layers.{i}.{j}.weight", i=range(2), j=("self_attn.out_proj", "linear1", "linear2"))
        | names("encoder.layers.{i}.self_attn.in_proj_weight", i=range(2)),
        small=TorchEncoder,
        size=8,
    ),
    "transformers' dinov2": Row(
        foreign_networks.dinov2,
        *(1_688, 42, {8: 8, 12: 8}),
        decayed={"network.embeddings.patch_embeddings.projection.weight"}
        | names("network.encoder.layer.{i}.attention.{j}_proj.weight", i=range(2), j="qkvo")
        | names("network.encoder.layer.{i}.mlp.{j}.weight", i=range(2), j=("fc1", "fc2")),
        small=foreign_networks.dinov2,
        size=8,
    ),
    "timm's vit": Row(
        foreign_networks.timm_vit,
        *(1_904, 34, {8: 8}),
        decayed=names("network.patch_embed.{i}.weight", i=("conv", "proj"))
        | names("network.blocks.{i}.{j}.weight", i=range(2), j=("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")),
        small=foreign_networks.timm_vit,
        size=8,
    ),
    "torchvision's resnet": Row(
        foreign_networks.torchvision_resnet,
        *(1_500, 18, {16: 6, 20: 6}),
        decayed={"network.conv1.weight", "network.layer2.0.downsample.0.weight"}
        | names("network.layer{i}.0.conv{j}.weight", i=(1, 2), j=(1, 2)),
        small=foreign_networks.torchvision_resnet,
        size=16,
    ),
}
