"""Meta-SGD: a learned rate for every parameter (Li, Zhou, Chen, Li, 2017)."""

import gin

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import Constant, PerParameter
from alfa_md.rules.hypers import RateAndDecay


@gin.configurable
def meta_sgd(template: Template, num_steps: int, *, inner_rate: float = gin.REQUIRED) -> UpdateRule:
    """theta' = theta - alpha grad, alpha of theta's shape, learned from `inner_rate` on and shared by all steps."""
    return AffineUpdate(RateAndDecay(lr=PerParameter(template, inner_rate), decay=Constant(0.0)))
