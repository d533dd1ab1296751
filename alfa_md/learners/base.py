"""The interface of all learners: an episode in, query scores and an outer loss out."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from alfa_md.accumulators import Accumulator
from alfa_md.episode import Episode
from alfa_md.learners.weight_decay import decayed_parameters
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.objectives import CLASSIFICATION, Objective


class Outcome(NamedTuple):
    """The outer loss of an episode, a scalar that is differentiated, and the query scores [Nq, way] it is judged by."""

    loss: Tensor
    scores: Tensor


class Learner(nn.Module):
    """Learns from the support set of an episode and scores its query set [Nq, way]."""

    objective: Objective = CLASSIFICATION
    vectorized: bool = False  # True if `forward_episodes` computes several episodes together

    def forward(self, episode: Episode) -> Tensor:
        raise TypeError(f"{type(self).__name__} learns nothing: define its forward")

    def forward_episodes(self, episodes: Sequence[Episode]) -> list[Tensor]:
        """Query scores of several episodes: the same numbers as one at a time."""
        return [self(episode) for episode in episodes]

    def loss(self, episode: Episode) -> Outcome:
        """The outer loss of an episode. A learner with auxiliary terms or another loss overrides this."""
        return self.outcome(self(episode), episode)

    def losses(self, episodes: Sequence[Episode]) -> list[Outcome]:
        """The outer losses of several episodes; together where the learner is vectorised."""
        if not self.vectorized:
            return [self.loss(episode) for episode in episodes]
        return [self.outcome(*pair) for pair in zip(self.forward_episodes(episodes), episodes, strict=True)]

    def outcome(self, scores: Tensor, episode: Episode) -> Outcome:
        """The mean loss over the query set."""
        return Outcome(self.objective.loss(scores, episode.query_y), scores)

    def decayed(self) -> list[nn.Parameter]:
        """The tensors that weight decay acts on: matrices and kernels, none of the update rule's."""
        return decayed_parameters(self)

    def accumulators(self) -> list[Accumulator]:
        """The modules with statistics over an update, which the outer loop resets and synchronises."""
        return [module for module in self.modules() if isinstance(module, Accumulator)]

    def stamp(self) -> dict:
        """What a result depends on in the learner, as plain values."""
        layers = {f"{type(m).__name__}({m.extra_repr()})" for m in self.modules() if isinstance(m, EpisodicBatchNorm)}
        own = {"learner": type(self).__name__, "batch_norm": "support moments" if layers else "none"}
        return own | {"batch_norm_layer": ", ".join(sorted(layers)) or "none"}


def name_of(part: object) -> str:
    """The name of a function, or of the class of a callable object, for a stamp."""
    return getattr(part, "__name__", type(part).__name__)
