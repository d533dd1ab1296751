"""Base class of learners: from an episode to query scores and an outer loss."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from alfa_md.accumulators import Accumulator
from alfa_md.episode import Episode
from alfa_md.learners.weight_decay import decayed_parameters
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.objectives import CLASSIFICATION, Objective

Scorer = Callable[[Tensor], Tensor]  # query images [N, ...] -> scores [N, way]


class Outcome(NamedTuple):
    """The outer loss of an episode, a scalar, and its query scores [Nq, way]."""

    loss: Tensor
    scores: Tensor


class Learner(nn.Module):
    """Learns from the support set of an episode and scores its query set [Nq, way]."""

    objective: Objective = CLASSIFICATION
    vectorized: bool = False  # True if `forward_episodes` computes several episodes together
    backbone_alone: bool = False  # True if a checkpoint of any learner gives it the backbone, and nothing else

    if TYPE_CHECKING:  # nn.Module's returns Any

        def __call__(self, episode: Episode) -> Tensor: ...

    def forward(self, episode: Episode) -> Tensor:
        raise TypeError(f"{type(self).__name__} learns nothing: define its forward")

    def forward_episodes(self, episodes: Sequence[Episode]) -> list[Tensor]:
        """Query scores of several episodes; the same numbers as one at a time."""
        return [self(episode) for episode in episodes]

    def scorer(self, episode: Episode) -> Scorer:
        """The scores of any query images after learning from the support set of an episode, for use without gradients.

        The score of an image does not depend on the others: the support set's moments normalise it, also in a learner
        whose protocol is transductive. This form learns anew in every call; a learner that can, overrides it.
        """

        def scores(query_x: Tensor) -> Tensor:
            labels = torch.zeros(len(query_x), dtype=episode.support_y.dtype, device=query_x.device)
            return self(episode._replace(query_x=query_x, query_y=labels))

        return scores

    def loss(self, episode: Episode) -> Outcome:
        """The outer loss of an episode. A learner with auxiliary terms or another loss overrides this."""
        return self.outcome(self(episode), episode)

    def losses(self, episodes: Sequence[Episode]) -> list[Outcome]:
        """The outer losses of several episodes, computed together if the learner is vectorised."""
        if not self.vectorized:
            return [self.loss(episode) for episode in episodes]
        return [self.outcome(*pair) for pair in zip(self.forward_episodes(episodes), episodes, strict=True)]

    def outcome(self, scores: Tensor, episode: Episode) -> Outcome:
        """The mean loss over the query set, with the scores."""
        return Outcome(self.objective.loss(scores, episode.query_y), scores)

    def decayed_parameters(self) -> list[nn.Parameter]:
        """The parameters with weight decay: weight matrices and convolution weights, none of the update rule."""
        return decayed_parameters(self)

    def accumulators(self) -> list[Accumulator]:
        """The accumulators among the modules, which the outer loop resets and synchronises in every update."""
        return [module for module in self.modules() if isinstance(module, Accumulator)]

    def stamp(self) -> dict[str, object]:
        """The settings of the learner that results depend on, as plain values for results files."""
        layers = {f"{type(m).__name__}({m.extra_repr()})" for m in self.modules() if isinstance(m, EpisodicBatchNorm)}
        own = {"learner": type(self).__name__, "batch_norm": "support moments" if layers else "none"}
        return own | {"batch_norm_layer": ", ".join(sorted(layers)) or "none"}


def callable_name(part: object) -> str:
    """The name of a function, or of the class of a callable object, for a stamp."""
    return getattr(part, "__name__", type(part).__name__)
