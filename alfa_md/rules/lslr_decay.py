"""ALFA without its generator: the control that every gain of the generator is measured against."""

import gin

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.alfa import scales
from alfa_md.rules.base import UpdateRule


@gin.configurable
def lslr_decay(
    template: Template, num_steps: int, *, inner_rate: float = gin.REQUIRED, inner_decay: float = 5e-6
) -> UpdateRule:
    """A learned rate (LSLR of MAML++, Antoniou et al., 2019) and a learned decay for every step and layer.

    The same for every task: what is left of ALFA when nothing is generated.
    """
    return AffineUpdate(scales(template, num_steps, inner_rate, inner_decay))
