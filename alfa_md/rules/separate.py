"""Separate choice of learning rate and decay: ALFA's ablation of adaptivity and granularity (Table 6 of the paper).

Each is made by a factory (template, num_steps, start) -> Hyperparameter. *Fixed* values are learned and shared by all
tasks; *adaptive* values are generated for the task and multiplied by learned ones, initialised with `start`.
"""

from collections.abc import Callable

import gin

from alfa_md.params import Params, Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hyperparameter, State, UpdateRule
from alfa_md.rules.generator import Generator
from alfa_md.rules.granularities import Constant, FromFirstStep, PerLayer, PerParameter, PerStep, PerStepPerLayer, Times
from alfa_md.rules.hypers import RateAndDecay
from alfa_md.rules.layerwise import Layerwise, NamedValues, Shared
from alfa_md.values import NonNegative

HyperparameterFactory = Callable[[Template, int, float], Hyperparameter]


@gin.configurable
def separate(
    template: Template,
    num_steps: int,
    *,
    lr: HyperparameterFactory = gin.REQUIRED,
    decay: HyperparameterFactory = gin.REQUIRED,
    inner_rate: NonNegative = gin.REQUIRED,
    inner_decay: NonNegative = 5e-6,
) -> UpdateRule:
    """theta' = (1 - decay) theta - lr grad, each made by its factory from `inner_rate` and `inner_decay`."""
    return AffineUpdate(RateAndDecay(lr(template, num_steps, inner_rate), decay(template, num_steps, inner_decay)))


class GeneratedForAll(Hyperparameter):
    """One generated value per step, shared by all tensors."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, 1)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Shared(params, self.generator(params, grads)[0]), state


class GeneratedForEach(Hyperparameter):
    """A generated value per step and tensor."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, len(template))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[NamedValues, State]:
        return Layerwise(params, self.generator(params, grads)), state


@gin.configurable
def unlearned(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """The constant `start`."""
    return Constant(start)


@gin.configurable
def zero(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """The constant 0, whatever `start` is: no decay, beta = 1."""
    return Constant(0.0)


@gin.configurable
def fixed_per_step(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A learned value for every step, shared by all tensors."""
    return PerStep(num_steps, start)


@gin.configurable
def fixed_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A learned value for every tensor, shared by all steps."""
    return PerLayer(template, start)


@gin.configurable
def fixed_per_step_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A learned value for every step and tensor."""
    return PerStepPerLayer(template, num_steps, start)


@gin.configurable
def adaptive_per_step(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A generated value for every step, shared by all tensors."""
    return Times(GeneratedForAll(template), PerStep(num_steps, start))


@gin.configurable
def adaptive_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A value for every tensor, generated at the first step of a task and shared by all steps."""
    return FromFirstStep(Times(GeneratedForEach(template), PerLayer(template, start)))


@gin.configurable
def adaptive_per_step_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A generated value for every step and tensor."""
    return Times(GeneratedForEach(template), PerStepPerLayer(template, num_steps, start))


@gin.configurable
def per_parameter(
    template: Template, num_steps: int, start: float, source: HyperparameterFactory = gin.REQUIRED
) -> Hyperparameter:
    """`source`, initialised with 1, times a learned value per parameter: the decay of `alfa_random`."""
    return Times(source(template, num_steps, 1.0), PerParameter(template, start))
