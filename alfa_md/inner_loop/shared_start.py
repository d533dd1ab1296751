"""The first inner step on the features that the head was made from, which spares a pass over the support set.

A head made of prototypes looks at the support set under theta_0, and so does the first support loss. In first order
and in evaluation both can come from one forward pass: the inner gradient is partial, by the backbone and by the head as
independent variables, so the head enters the loss detached.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import Head, linear
from alfa_md.inner_loop.step import independent, partial_gradients
from alfa_md.normalization import Embed
from alfa_md.objectives import Objective
from alfa_md.params import Params


class Remembering:
    """`embed` that remembers the features of `images`, if it is called on all of them."""

    def __init__(self, embed: Embed, images: Tensor):
        self.embed, self.images = embed, images
        self.features: Tensor | None = None

    def __call__(self, images: Tensor) -> Tensor:
        features = self.embed(images)
        if images is self.images:
            self.features = features
        return features


def can_be_shared(theta: Params, first_order: bool) -> bool:
    """True in evaluation, and in first order if all of the backbone's tensors are trained."""
    return not torch.is_grad_enabled() or (first_order and all(tensor.requires_grad for tensor in theta.values()))


def shared_start(
    theta: Params, embedding: Callable[[Params], Embed], head: Head, objective: Objective, episode: Episode
) -> tuple[Params, Params | None]:
    """(weights of the head, support gradient of backbone and head); the latter None if the head saw no features.

    `embedding` gives the backbone under fast weights, of which `theta` are the initial ones.
    """
    training = torch.is_grad_enabled()
    with torch.enable_grad():
        variables = independent(theta, linked=training)
        embed = Remembering(embedding(variables), episode.support_x)
        weights = head(embed, episode.support_x, episode.support_y, episode.way)
        live = weights if training else {name: tensor.detach() for name, tensor in weights.items()}
        if embed.features is None:
            return live, None
        variables |= independent(weights, linked=False)
        loss = objective.loss(linear(embed.features, variables), episode.support_y)
        return live, partial_gradients(loss, variables, retain_graph=training)
