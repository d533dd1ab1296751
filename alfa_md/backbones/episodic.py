"""Batch normalisation of a network from elsewhere by the moments of the episode, in place of running averages."""

import gin
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from alfa_md.errors import UserError
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.values import Backbone

PLAIN = (nn.BatchNorm2d.forward, nn.SyncBatchNorm.forward)


@gin.configurable
def episodic(backbone: Backbone = gin.REQUIRED) -> Backbone:
    """The backbone with EpisodicBatchNorm in place of every BatchNorm2d, replaced inside it.

    Scales, offsets and eps stay, under their names; running averages go. timm's layers that normalise and activate do
    so as before. Raises UserError for a normalisation of other tensors than maps [N, C, H, W], or with a forward that
    is not known.
    """
    for path, layer in list(backbone.named_modules()):
        if isinstance(layer, _BatchNorm):
            if not path:
                return _episodic(layer, path)
            parent, _, name = path.rpartition(".")
            setattr(backbone.get_submodule(parent), name, _episodic(layer, path))
    return backbone


class EpisodicNormAct(EpisodicBatchNorm):
    """Normalisation, then `drop` and `act`, as timm's BatchNormAct2d."""

    def __init__(self, num_features: int, eps: float, drop: nn.Module, act: nn.Module):
        super().__init__(num_features, eps)
        self.drop, self.act = drop, act

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.drop(super().forward(x)))


def _episodic(layer: _BatchNorm, path: str) -> EpisodicBatchNorm:
    kind, parts = type(layer), dict(layer.named_children())
    if not isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm):
        raise UserError(
            f"episodic: layer {path} is a {kind.__name__}; only BatchNorm2d, of maps [N, C, H, W], has moments of an "
            "episode: replace that layer"
        )
    if kind.forward in PLAIN:
        made = EpisodicBatchNorm(layer.num_features, layer.eps)
    elif parts.keys() == {"drop", "act"}:
        made = EpisodicNormAct(layer.num_features, layer.eps, **parts)
    else:
        raise UserError(f"episodic: layer {path} is a {kind.__name__} with a forward of its own; replace that layer")
    if layer.affine:
        made.weight, made.bias = layer.weight, layer.bias
    else:
        del made.weight, made.bias
        made.register_buffer("weight", torch.ones(layer.num_features), persistent=False)
        made.register_buffer("bias", torch.zeros(layer.num_features), persistent=False)
    return made.train(layer.training)
