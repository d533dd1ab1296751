"""Data of other dimensions than a backbone's is refused in one line."""

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.backbones.wide_resnet import WideResNet
from alfa_md.errors import UserError

OF_IMAGES = (Conv4, FourLayerConvNet, ResNet12, ResNet18, VitTiny, WideResNet)


@pytest.mark.parametrize("backbone", OF_IMAGES, ids=lambda backbone: backbone.__name__)
def test_points_given_to_a_backbone_of_images(backbone):
    with pytest.raises(UserError, match=rf"^{backbone.__name__} takes images .* has 2 dim.*RegressionMLP"):
        backbone()(torch.zeros(5, 1))


def test_images_given_to_the_backbone_of_points():
    with pytest.raises(UserError, match=r"^RegressionMLP takes points \[N, D\].* has 4 dim.*FourLayerConvNet"):
        RegressionMLP()(torch.zeros(5, 3, 8, 8))
