"""Multi-step loss of MAML++ (Antoniou, Edwards, Storkey, ICLR 2019, section 4): a query loss after every inner step."""

import gin
import torch
from torch import Tensor

from alfa_md.accumulators import Accumulator
from alfa_md.episode import Episode
from alfa_md.errors import require_at_least
from alfa_md.learners.base import Outcome
from alfa_md.learners.gradient import GradientLearner
from alfa_md.values import Count

MIN_IMPORTANCE = 0.03  # of a step, as a share of 1 / S


class UpdateCounter(Accumulator):
    """The number of finished outer updates, kept in checkpoints."""

    def __init__(self):
        super().__init__(1)
        self.register_buffer("number", torch.zeros((), dtype=torch.float64))

    def merge(self, sums: Tensor) -> None:
        self.number += (sums[0] > 0).to(self.number)


@gin.configurable
class MultiStepLearner(GradientLearner):
    """A GradientLearner, with its bindings, whose outer loss is sum_i v_i L_query(theta_i) over all inner steps i.

    v starts at 1 / S for every step and moves linearly within `anneal_updates` outer updates to 0.03 / S for all but
    the last. Validation and test use the last step alone. Raises UserError without inner steps, or with `batching`.
    """

    def __init__(self, anneal_updates: Count = 7500, **options: object):
        super().__init__(**options)
        require_at_least(1, "MultiStepLearner", anneal_updates=anneal_updates, num_steps=self.num_steps)
        self.anneal_updates, self.updates = anneal_updates, UpdateCounter()

    def loss(self, episode: Episode) -> Outcome:
        self.updates.update(torch.ones(1))
        start = self.start(episode)
        steps = self.inner_steps(start, self.support_loss(episode), self.rule, self.effective_num_steps)
        scores = [self.query_scores(start, step.after, episode) for step in steps]
        losses = torch.stack([self.objective.loss(each, episode.query_y) for each in scores])
        return Outcome((self.importance().to(losses) * losses).sum(), scores[-1])

    def importance(self) -> Tensor:
        """v [S], the weights of the inner steps in the current outer update; their sum is 1."""
        others = (1 - self.updates.number / self.anneal_updates).clamp(min=MIN_IMPORTANCE) / self.num_steps
        v = others.repeat(self.num_steps)
        v[-1] = 1 - others * (self.num_steps - 1)
        return v

    def stamp(self) -> dict:
        return super().stamp() | {"outer loss": f"multi-step, annealed within {self.anneal_updates} updates"}
