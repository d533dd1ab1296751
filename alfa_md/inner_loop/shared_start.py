"""The first inner step on the features that the head was made from: one pass over the support set less.

A head made of prototypes looks at the support set under theta_0, and so does the first support loss. In first order
and in evaluation both can be had from one forward pass: the gradient of the loss is partial, by the backbone and by
the head as independent variables, so the head enters the loss detached, whatever it was made from.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import Head, linear
from alfa_md.inner_loop.loop import independent, partial_gradients
from alfa_md.normalization import Embed
from alfa_md.objectives import Objective
from alfa_md.params import Params


class Seen:
    """`embed` that remembers the features of `images`, if it is asked for them all at once."""

    def __init__(self, embed: Embed, images: Tensor):
        self.embed, self.images = embed, images
        self.features: Tensor | None = None

    def __call__(self, images: Tensor) -> Tensor:
        features = self.embed(images)
        if images is self.images:
            self.features = features
        return features


def can_be_shared(theta: Params, first_order: bool) -> bool:
    """Whether `shared_start` holds just now: in evaluation, and in first order for a backbone that is trained."""
    return not torch.is_grad_enabled() or (first_order and all(tensor.requires_grad for tensor in theta.values()))


def shared_start(
    theta: Params, embedding: Callable[[Params], Embed], head: Head, objective: Objective, episode: Episode
) -> tuple[Params, Params | None]:
    """theta_0 = `theta` and the head, and its support gradient; None for that where the head has seen no features.

    `embedding` gives the backbone under fast weights.
    """
    training = torch.is_grad_enabled()
    with torch.enable_grad():
        own = independent(theta, linked=training)
        seen = Seen(embedding(own), episode.support_x)
        weights = head(seen, episode.support_x, episode.support_y, episode.way)
        start = theta | (weights if training else {name: tensor.detach() for name, tensor in weights.items()})
        if seen.features is None:
            return start, None
        own |= independent(weights, linked=False)
        loss = objective.loss(linear(seen.features, own), episode.support_y)
        return start, partial_gradients(loss, own, retain_graph=training)
