"""Rates and decays each from a source of its own: the ablation of ALFA by adaptivity and granularity (its Table 6).

A source is a factory (template, num_steps, start) -> Values. *Fixed* is learned and the same for all tasks, *adaptive*
is generated for the task and scaled by what is learned.
"""

from collections.abc import Callable

import gin

from alfa_md.params import Params, Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import UpdateRule, Values
from alfa_md.rules.generator import Generator
from alfa_md.rules.hypers import Pair
from alfa_md.rules.layerwise import Layerwise, Named
from alfa_md.rules.values import Constant, FromFirstStep, PerLayer, PerParameter, PerStep, PerStepPerLayer, Times

Source = Callable[[Template, int, float], Values]


@gin.configurable
def separate(
    template: Template,
    num_steps: int,
    *,
    lr: Source = gin.REQUIRED,
    decay: Source = gin.REQUIRED,
    inner_rate: float = gin.REQUIRED,
    inner_decay: float = 5e-6,
) -> UpdateRule:
    """theta' = (1 - decay) theta - lr grad, with two sources that start at `inner_rate` and `inner_decay`."""
    return AffineUpdate(Pair(lr(template, num_steps, inner_rate), decay(template, num_steps, inner_decay)))


class GeneratedForAll(Values):
    """One generated value for all tensors."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, 1)

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return dict.fromkeys(params, self.generator(params, grads)[0])


class GeneratedForEach(Values):
    """A generated value for every tensor."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, len(template))

    def forward(self, params: Params, grads: Params, step: int) -> Named:
        return Layerwise(params, self.generator(params, grads))


@gin.configurable
def unlearned(template: Template, num_steps: int, start: float) -> Values:
    """`start`, not learned."""
    return Constant(start)


@gin.configurable
def zero(template: Template, num_steps: int, start: float) -> Values:
    """0, whatever the start: a decay of nothing is beta = 1."""
    return Constant(0.0)


@gin.configurable
def fixed_per_step(template: Template, num_steps: int, start: float) -> Values:
    """A learned value for every step, shared by all tensors."""
    return PerStep(num_steps, start)


@gin.configurable
def fixed_per_layer(template: Template, num_steps: int, start: float) -> Values:
    """A learned value for every tensor, shared by all steps."""
    return PerLayer(template, start)


@gin.configurable
def fixed_per_step_per_layer(template: Template, num_steps: int, start: float) -> Values:
    """A learned value for every step and tensor."""
    return PerStepPerLayer(template, num_steps, start)


@gin.configurable
def adaptive_per_step(template: Template, num_steps: int, start: float) -> Values:
    """At every step one generated value for all tensors."""
    return Times(GeneratedForAll(template), PerStep(num_steps, start))


@gin.configurable
def adaptive_per_layer(template: Template, num_steps: int, start: float) -> Values:
    """A value for every tensor, generated at the first step of a task and kept."""
    return FromFirstStep(Times(GeneratedForEach(template), PerLayer(template, start)))


@gin.configurable
def adaptive_per_step_per_layer(template: Template, num_steps: int, start: float) -> Values:
    """At every step a generated value for every tensor."""
    return Times(GeneratedForEach(template), PerStepPerLayer(template, num_steps, start))


@gin.configurable
def per_parameter(template: Template, num_steps: int, start: float, source: Source = gin.REQUIRED) -> Values:
    """`source`, from 1 on, times a learned value for every parameter: the decay from a random initialisation."""
    return Times(source(template, num_steps, 1.0), PerParameter(template, start))
