"""The one interface of all learners: an episode in, query scores out."""

from collections.abc import Sequence

from torch import Tensor, nn

from alfa_md.accumulators import Gathering
from alfa_md.episode import Episode
from alfa_md.heads import LearnedHead
from alfa_md.learners.classifiers import CosineClassifier, LinearClassifier
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.objectives import CLASSIFICATION, Objective

# Their attribute `weight` is decayed; never a bias, a scale, or what batch normalisation learns.
DECAYED = (nn.Conv2d, LearnedHead, LinearClassifier, CosineClassifier)


class Learner(nn.Module):
    """Learns from an episode's support set and scores its query set [Nq, way]. The outer loop sees only this."""

    objective: Objective = CLASSIFICATION
    batches: bool = False  # whether `batch` works on several episodes at once

    def forward(self, episode: Episode) -> Tensor:
        raise TypeError(f"{type(self).__name__} learns nothing: define its forward")

    def batch(self, episodes: Sequence[Episode]) -> list[Tensor]:
        """Query scores of several episodes: the same numbers as one at a time."""
        return [self(episode) for episode in episodes]

    def decayed(self) -> list[nn.Parameter]:
        """The tensors that weight decay acts on: convolution kernels and the weight of a learned classifier."""
        return [module.weight for module in self.modules() if isinstance(module, DECAYED)]

    def gathering(self) -> list[Gathering]:
        """The parts that gather something over an update, for the outer loop to settle at its end."""
        return [module for module in self.modules() if isinstance(module, Gathering)]

    def stamp(self) -> dict:
        """What a reader of a result must know of the learner, as plain values."""
        layers = {f"{type(m).__name__}({m.extra_repr()})" for m in self.modules() if isinstance(m, EpisodicBatchNorm)}
        own = {"learner": type(self).__name__, "batch_norm": "support moments" if layers else "none"}
        return own | {"batch_norm_layer": ", ".join(sorted(layers)) or "none"}


def name_of(part: object) -> str:
    """What a stamp calls a function, or an object that is called like one."""
    return getattr(part, "__name__", type(part).__name__)
