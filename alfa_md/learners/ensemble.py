"""Ensemble of trained learners: the mean of their query scores."""

from collections.abc import Sequence

from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.learners.base import Learner


class Ensemble(Learner):
    """The mean over `learners` of their raw query scores, each after its own inner loop.

    ALFA's image benchmarks test the five epochs of highest validation accuracy so. It is a running mean: identical
    members give exactly the scores of one of them. Raises ValueError without members.
    """

    def __init__(self, learners: Sequence[Learner]):
        super().__init__()
        if not learners:
            raise ValueError("an ensemble needs a member")
        self.members = nn.ModuleList(learners)
        self.objective = learners[0].objective

    def forward(self, episode: Episode) -> Tensor:
        first, *others = self.members
        mean = first(episode)
        for number, member in enumerate(others, start=2):
            mean = mean + (member(episode) - mean) / number
        return mean

    def stamp(self) -> dict:
        return self.members[0].stamp() | {"ensemble": len(self.members)}
