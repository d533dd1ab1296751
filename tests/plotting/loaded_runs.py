"""Learners with episodes in memory, for tests of figures."""

from functools import partial

import torch
from torch import nn

from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.episode import EpisodeSource
from alfa_md.heads import LearnedHead
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner
from alfa_md.objectives import REGRESSION
from alfa_md.plotting.loaded_run import LoadedRun
from alfa_md.rules.alfa import alfa
from tests.noise import CPU, NoiseSource, noise_learner


def loaded_run(learner: Learner | None = None, source: EpisodeSource | None = None) -> LoadedRun:
    """A loaded run, by default fo-Proto-MAML + ALFA on episodes of noise."""
    return LoadedRun("tiny", (learner or lively(noise_learner())).eval(), source or NoiseSource(), CPU)


def lively(learner: GradientLearner) -> GradientLearner:
    """Makes ALFA's generator depend on the task."""
    nn.init.normal_(learner.rule.hypers.first.generator.network[-1].weight)
    return learner


def loaded_sine_run(num_steps: int = 3) -> LoadedRun:
    """A loaded run of a small network on sine curves."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh())
    rule = partial(alfa, inner_rate=0.05)
    learner = GradientLearner(net, LearnedHead(8, 1), rule, num_steps=num_steps, objective=REGRESSION)
    return loaded_run(learner, Sinusoids("sine", "test", Points(shots=4), seed=0))
