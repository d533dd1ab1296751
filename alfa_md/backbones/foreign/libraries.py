"""Backbones of timm and torchvision, which are no dependencies of this package: install the library to use them."""

from collections.abc import Callable, Mapping
from typing import Any

import gin
from torch import Tensor, nn

from alfa_md.backbones.foreign.adapter import IMAGENET_DEVIATION, IMAGENET_MEAN, Deviation, ForeignBackbone, Mean
from alfa_md.backbones.foreign.features import automatic
from alfa_md.errors import UserError
from alfa_md.system.library_faults import refused
from alfa_md.values import Pixels

FETCHING = ("pretrained", "checkpoint", "weights", "cache")  # options of weights: PRETRAINED = FILE loads them
REMEDY = "PRETRAINED = FILE loads weights"


@gin.configurable
def timm_backbone(
    name: str = gin.REQUIRED,
    image_size: Pixels | None = None,
    mean: Mean | None = None,
    deviation: Deviation | None = None,
    features: Callable[[Any], Tensor] = automatic,
    options: Mapping | None = None,
) -> ForeignBackbone:
    """The model `name` of timm without its classifier, with random weights.

    Input size, mean and deviation are by default those that timm knows for the model; `options` are further arguments
    of `timm.create_model`. Raises UserError if timm is missing, has no such model or does not take the options.
    """
    try:
        import timm
    except ImportError as error:
        raise UserError("timm is not installed: pip install timm") from error
    options = _checked("timm_backbone", name, options)
    with refused(f"timm cannot make {name!r}", "bind another"):
        network = timm.create_model(name, pretrained=False, num_classes=0, **options)
    known = getattr(network, "pretrained_cfg", None) or {}
    return ForeignBackbone(
        network,
        image_size or known.get("input_size", (3, 224, 224))[-1],
        mean or tuple(known.get("mean", IMAGENET_MEAN)),
        deviation or tuple(known.get("std", IMAGENET_DEVIATION)),
        features,
    )


@gin.configurable
def torchvision_backbone(
    name: str = gin.REQUIRED,
    image_size: Pixels = 224,
    mean: Mean = IMAGENET_MEAN,
    deviation: Deviation = IMAGENET_DEVIATION,
    features: Callable[[Any], Tensor] = automatic,
    options: Mapping | None = None,
) -> ForeignBackbone:
    """The model `name` of torchvision without its last linear layer, the classifier, with random weights.

    `options` are further arguments of `torchvision.models.get_model`. Raises UserError as `timm_backbone` does.
    """
    try:
        from torchvision import models
    except ImportError as error:
        raise UserError("torchvision is not installed: pip install torchvision") from error
    options = _checked("torchvision_backbone", name, options)
    with refused(f"torchvision cannot make {name!r}", "bind another"):
        network = models.get_model(name, weights=None, **options)
    return ForeignBackbone(without_classifier(network), image_size, mean, deviation, features)


def without_classifier(network: nn.Module) -> nn.Module:
    """The network with its last linear layer replaced by the identity. Raises UserError if it has none."""
    linear = [path for path, layer in network.named_modules() if type(layer) is nn.Linear and path]
    if not linear:
        raise UserError(f"{type(network).__name__} has no linear layer to take off; use @ForeignBackbone()")
    parent, _, name = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def _checked(owner: str, name: str, options: Mapping | None) -> dict:
    """The options as a dictionary. Raises UserError for a name or an option that fetches weights."""
    if ":" in name:
        raise UserError(f"{owner}.name = {name!r} is no architecture; give the name of one; {REMEDY}")
    for option in options or ():
        if not isinstance(option, str) or option.startswith(FETCHING):
            raise UserError(f"{owner}.options: {option!r} is not taken; {REMEDY}")
    return dict(options or {})
