"""Plain gradient descent: the inner loop of MAML (Finn et al., 2017)."""

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import Constant
from alfa_md.rules.hypers import RateAndDecay
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative


@gin.configurable
def sgd(template: Template, num_steps: int, *, inner_rate: NonNegative = gin.REQUIRED) -> UpdateRule:
    """theta' = theta - inner_rate * g, with a constant rate."""
    return AffineUpdate(RateAndDecay(lr=Constant(inner_rate), decay=Constant(0.0)))
