"""LSLR: a learned rate for every inner step and layer (MAML++; Antoniou, Edwards, Storkey, 2019)."""

import gin

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import Constant, PerStepPerLayer
from alfa_md.rules.hypers import RateAndDecay


@gin.configurable
def lslr(template: Template, num_steps: int, *, inner_rate: float = gin.REQUIRED) -> UpdateRule:
    """theta' = theta - A_i grad, with A [S, N] learned from `inner_rate` on; no decay."""
    return AffineUpdate(RateAndDecay(lr=PerStepPerLayer(template, num_steps, inner_rate), decay=Constant(0.0)))
