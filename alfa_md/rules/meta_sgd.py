"""Meta-SGD (Li, Zhou, Chen, Li, 2017): a learned rate per parameter."""

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import Constant, PerParameter
from alfa_md.rules.hypers import RateAndDecay
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative


@gin.configurable
def meta_sgd(template: Template, num_steps: int, *, inner_rate: NonNegative = gin.REQUIRED) -> UpdateRule:
    """theta' = theta - alpha grad, with alpha of theta's shape learned, initialised with `inner_rate`."""
    return AffineUpdate(RateAndDecay(lr=PerParameter(template, inner_rate), decay=Constant(0.0)))
