"""ALFA without its generator: learned rates and decays per inner step and layer, the control for the generator."""

from alfa_md.params import Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.alfa import Scale, scales
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.granularities import PerStepPerLayer
from alfa_md.system.typed_gin import gin
from alfa_md.values import NonNegative


@gin.configurable
def lslr_decay(
    template: Template,
    num_steps: int,
    *,
    inner_rate: NonNegative = gin.REQUIRED,
    inner_decay: NonNegative = 5e-6,
    scale: Scale = PerStepPerLayer,
) -> UpdateRule:
    """LSLR (MAML++, Antoniou et al., 2019) with a learned decay: A and B of ALFA, shared by all tasks.

    `scale` is the factory of both.
    """
    return AffineUpdate(scales(template, num_steps, inner_rate, inner_decay, scale))
