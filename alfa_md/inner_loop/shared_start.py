"""Shared forward pass of the head and the first inner step on the support set.

A prototype head and the first support loss both need the support features under theta_0. In first order and in
evaluation one forward pass serves both: the inner gradient is partial, by backbone and head as independent variables,
so the head enters the loss detached.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import Head, linear
from alfa_md.inner_loop.step import independent_variables, partial_gradients
from alfa_md.normalization import Embed
from alfa_md.objectives import Objective
from alfa_md.params import Params


class CachingEmbed:
    """`embed` that stores its features if it is called on exactly `images`."""

    def __init__(self, embed: Embed, images: Tensor):
        self.embed, self.images = embed, images
        self.features: Tensor | None = None

    def __call__(self, images: Tensor) -> Tensor:
        features = self.embed(images)
        if images is self.images:
            self.features = features
        return features


def can_share_features(theta: Params, first_order: bool) -> bool:
    """True in evaluation, and in first order if all adapted backbone tensors require gradients."""
    return not torch.is_grad_enabled() or (first_order and all(tensor.requires_grad for tensor in theta.values()))


def shared_start(
    theta: Params, embedding: Callable[[Params], Embed], head: Head, objective: Objective, episode: Episode
) -> tuple[Params, Params | None]:
    """(head weights, support gradient of backbone and head); the gradient is None if the head uses no features.

    `embedding` makes the backbone's embedding under fast weights; `theta` are the initial ones.
    """
    training = torch.is_grad_enabled()
    with torch.enable_grad():
        variables = independent_variables(theta, linked=training)
        embed = CachingEmbed(embedding(variables), episode.support_x)
        weights = head(embed, episode.support_x, episode.support_y, episode.way)
        live = weights if training else {name: tensor.detach() for name, tensor in weights.items()}
        if embed.features is None:
            return live, None
        variables |= independent_variables(weights, linked=False)
        loss = objective.loss(linear(embed.features, variables), episode.support_y)
        return live, partial_gradients(loss, variables, retain_graph=training)
