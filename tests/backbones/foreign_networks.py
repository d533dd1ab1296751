"""Networks with the interfaces and the key layouts of transformers, timm and torchvision, small and random."""

import types
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.episodic import episodic
from alfa_md.backbones.foreign.adapter import ForeignBackbone
from alfa_md.backbones.foreign.hub import hub_backbone
from alfa_md.backbones.foreign.libraries import without_classifier

TRANSFORMER = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 8, "patch_size": 4}
DINOV2 = {"model_type": "dinov2", "mlp_ratio": 2, **TRANSFORMER}
VIT = {"model_type": "vit", "intermediate_size": 16, **TRANSFORMER}


class TorchvisionBlock(nn.Module):
    """A basic block as torchvision's: in-place ReLU, and a shortcut added in place."""

    def __init__(self, inplanes: int, planes: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class TorchvisionResNet(nn.Module):
    """A residual network with torchvision's names, and a classifier `fc` of ten classes."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(TorchvisionBlock(4, 4, 1))
        self.layer2 = nn.Sequential(TorchvisionBlock(4, 6, 2))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.avgpool(self.layer2(self.layer1(x))).flatten(1))


class BatchNormAct2d(nn.BatchNorm2d):
    """Normalisation, dropout and activation in one layer, as timm's."""

    def __init__(self, channels: int):
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        stats = (self.running_mean, self.running_var, self.weight, self.bias)
        return self.act(self.drop(F.batch_norm(x, *stats, self.training, self.momentum, self.eps)))


class TimmAttention(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class TimmBlock(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(dim), TimmAttention(dim, heads), nn.LayerNorm(dim)
        self.mlp = nn.Sequential()
        self.mlp.fc1, self.mlp.act, self.mlp.fc2 = nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TimmVisionTransformer(nn.Module):
    """A vision transformer with timm's names and configuration, without a classifier."""

    pretrained_cfg = {"input_size": (3, 8, 8), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4)}

    def __init__(self, dim: int = 8):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, 5, dim))
        self.patch_embed = nn.Sequential()
        self.patch_embed.conv, self.patch_embed.norm = nn.Conv2d(3, 4, 3, padding=1), BatchNormAct2d(4)
        self.patch_embed.proj = nn.Conv2d(4, dim, 4, 4)
        self.blocks = nn.Sequential(TimmBlock(dim, 2), TimmBlock(dim, 2))
        self.norm, self.head = nn.LayerNorm(dim), nn.Identity()

    def no_weight_decay(self) -> set[str]:
        return {"pos_embed", "cls_token"}

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch_embed(x).flatten(2).mT
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(tokens))[:, 0])


def dinov2() -> ForeignBackbone:
    return hub_backbone(DINOV2)


def vit() -> ForeignBackbone:
    return hub_backbone(VIT)


def torchvision_resnet() -> ForeignBackbone:
    return episodic(ForeignBackbone(without_classifier(TorchvisionResNet()), 16))


def timm_vit() -> ForeignBackbone:
    return episodic(ForeignBackbone(TimmVisionTransformer(), 8))


def stand_in_timm() -> types.ModuleType:
    """A module with timm's `create_model`."""
    module = types.ModuleType("timm")

    def create_model(model_name: str, pretrained: bool = False, num_classes: int = 1000, **options: object):
        made = {"vit_small": partial(TimmVisionTransformer, **options)}
        if model_name not in made:
            raise RuntimeError(f"Unknown model ({model_name})")
        assert not pretrained and num_classes == 0
        return made[model_name]()

    module.create_model = create_model
    return module


def stand_in_torchvision() -> types.ModuleType:
    """A module with torchvision's `models.get_model`."""
    module, models = types.ModuleType("torchvision"), types.ModuleType("torchvision.models")

    def get_model(name: str, weights: object = "DEFAULT", **options: object):
        if name != "resnet_small":
            raise ValueError(f"Unknown model {name}")
        assert weights is None
        return TorchvisionResNet(**options)

    models.get_model, module.models = get_model, models
    return module
