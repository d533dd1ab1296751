"""LSLR of MAML++ (Antoniou, Edwards, Storkey, ICLR 2019): a learned rate per inner step and layer."""

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import Constant, PerStepPerLayer
from alfa_md.rules.hypers import RateAndDecay
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative


@gin.configurable
def lslr(template: Template, num_steps: int, *, inner_rate: NonNegative = gin.REQUIRED) -> UpdateRule:
    """theta' = theta - A_i grad, with A [S, N] learned, initialised with `inner_rate`; no decay."""
    return AffineUpdate(RateAndDecay(lr=PerStepPerLayer(template, num_steps, inner_rate), decay=Constant(0.0)))
