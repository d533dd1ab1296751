"""Small random episodes and networks for tests of learners; float64, no files."""

from functools import partial

import torch
from torch import nn

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.episode import Episode
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.rules.alfa import alfa


def random_episode(way=3, shots=(2, 3, 1), queries=2, size=12, seed=0, dtype=torch.float64) -> Episode:
    """Images of noise around a pattern of their class, unequal shots."""
    generator = torch.Generator().manual_seed(seed)
    support_y = torch.arange(way).repeat_interleave(torch.tensor(shots[:way]))
    query_y = torch.arange(way).repeat_interleave(queries)
    patterns = torch.randn(way, 3, size, size, generator=generator, dtype=dtype)

    def images(labels):
        return patterns[labels] + torch.randn(len(labels), 3, size, size, generator=generator, dtype=dtype)

    return Episode(images(support_y), support_y, images(query_y), query_y, way, "noise", "train", seed, 0)


def smooth_net(channels=4) -> nn.Module:
    """Two convolutions, batch norm and tanh: smooth, so that finite differences hold."""
    return nn.Sequential(
        nn.Conv2d(3, channels, 3, stride=2, bias=False),
        EpisodicBatchNorm(channels),
        nn.Tanh(),
        nn.Conv2d(channels, channels, 3, stride=2, bias=False),
        EpisodicBatchNorm(channels),
        nn.Tanh(),
        nn.Flatten(),
    )


def small_convnet() -> FourLayerConvNet:
    """The real four-layer network with four filters; needs images of 16 pixels."""
    return FourLayerConvNet(num_filters=4)


def small_learner(rule=None, head=None, backbone=None, num_steps=2, first_order=True, **options) -> GradientLearner:
    """A GradientLearner in float64 with reproducible weights; by default fo-Proto-MAML + ALFA."""
    torch.manual_seed(0)
    rule = rule or partial(alfa, inner_rate=0.1, inner_decay=0.01)
    parts = (backbone or smooth_net(), head or PrototypeHead(), rule)
    return GradientLearner(*parts, num_steps=num_steps, first_order=first_order, **options).double()


def busy_learner() -> GradientLearner:
    """ALFA whose generator no longer emits ones, and whose backbone draws random numbers in training."""
    learner = small_learner(backbone=nn.Sequential(smooth_net(), nn.Dropout(0.5)))
    nn.init.normal_(learner.rule.hypers.first.generator.network[-1].weight)
    return learner


def meta_loss(learner, episode) -> torch.Tensor:
    """The outer loss of one episode."""
    return learner.objective.loss(learner(episode), episode.query_y)


def has_gradients(learner) -> bool:
    """True if a backward pass has reached any parameter."""
    return any(parameter.grad is not None for parameter in learner.parameters())


def meta_gradients(learner, episode) -> dict[str, torch.Tensor]:
    """The outer gradient of every meta-parameter that has one."""
    learner.zero_grad()
    meta_loss(learner, episode).backward()
    return {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None}
