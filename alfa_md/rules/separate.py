"""Learning rate and decay at granularities of their own: ALFA's ablation by adaptivity (its Table 6).

Each is made by a factory (template, num_steps, start) -> Hyperparameter. *Fixed* is learned and the same for all tasks,
*adaptive* is generated for the task and scaled by what is learned.
"""

from collections.abc import Callable

import gin

from alfa_md.params import Params, Template
from alfa_md.rules.affine import AffineUpdate
from alfa_md.rules.base import Hyperparameter, State, UpdateRule
from alfa_md.rules.generator import Generator
from alfa_md.rules.granularities import Constant, FromFirstStep, PerLayer, PerParameter, PerStep, PerStepPerLayer, Times
from alfa_md.rules.hypers import RateAndDecay
from alfa_md.rules.layerwise import Layerwise, Named

HyperparameterFactory = Callable[[Template, int, float], Hyperparameter]


@gin.configurable
def separate(
    template: Template,
    num_steps: int,
    *,
    lr: HyperparameterFactory = gin.REQUIRED,
    decay: HyperparameterFactory = gin.REQUIRED,
    inner_rate: float = gin.REQUIRED,
    inner_decay: float = 5e-6,
) -> UpdateRule:
    """theta' = (1 - decay) theta - lr grad, each made by its factory from `inner_rate` and `inner_decay`."""
    return AffineUpdate(RateAndDecay(lr(template, num_steps, inner_rate), decay(template, num_steps, inner_decay)))


class GeneratedForAll(Hyperparameter):
    """One generated value for all tensors."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, 1)

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return dict.fromkeys(params, self.generator(params, grads)[0]), state


class GeneratedForEach(Hyperparameter):
    """A generated value for every tensor."""

    def __init__(self, template: Template):
        super().__init__()
        self.generator = Generator(template, len(template))

    def forward(self, params: Params, grads: Params, state: State, step: int) -> tuple[Named, State]:
        return Layerwise(params, self.generator(params, grads)), state


@gin.configurable
def unlearned(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """`start`, not learned."""
    return Constant(start)


@gin.configurable
def zero(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """0 for any start: without decay beta is 1."""
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
    """At every step one generated value for all tensors."""
    return Times(GeneratedForAll(template), PerStep(num_steps, start))


@gin.configurable
def adaptive_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """A value for every tensor, generated at the first step of a task and kept."""
    return FromFirstStep(Times(GeneratedForEach(template), PerLayer(template, start)))


@gin.configurable
def adaptive_per_step_per_layer(template: Template, num_steps: int, start: float) -> Hyperparameter:
    """At every step a generated value for every tensor."""
    return Times(GeneratedForEach(template), PerStepPerLayer(template, num_steps, start))


@gin.configurable
def per_parameter(
    template: Template, num_steps: int, start: float, source: HyperparameterFactory = gin.REQUIRED
) -> Hyperparameter:
    """`source`, from 1 on, times a learned value for every parameter: the decay from a random initialisation."""
    return Times(source(template, num_steps, 1.0), PerParameter(template, start))
