"""The linear probe: logistic regression on the frozen features of a pretrained backbone."""

from collections.abc import Callable

import gin
import torch
import torch.nn.functional as F
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.heads import require_vectors
from alfa_md.learners.base import Learner, Scorer, callable_name
from alfa_md.normalization import Normalization, embed_support, protocol_stamp, support_moments
from alfa_md.values import Backbone, Count, NonNegative

TOLERANCES = {"tolerance_grad": 1e-7, "tolerance_change": 1e-12}  # at which L-BFGS ends
TINY = 1e-30  # of features that are all the same, without a penalty


@gin.configurable
class LinearProbeLearner(Learner):
    """Scores W f(x) + b with the (W, b) that minimise mean cross entropy + l2 / 2 |W|^2 over the support set.

    Features f are frozen, and nothing is meta-learned: a learner for evaluations, of any run with a backbone.

    Args:
      backbone: images [N, ...] -> features [N, D].
      l2: strength of the penalty, which leaves out b; scikit-learn's C is 1 / (l2 * support images).
      num_steps: the most steps of L-BFGS, which begins at zero and ends earlier at the minimum.
      normalization: the moments that normalise the query set, see `GradientLearner`.
    """

    backbone_alone = True

    def __init__(
        self,
        backbone: Backbone = gin.REQUIRED,
        l2: NonNegative = 0.01,
        num_steps: Count = 200,
        normalization: Callable[[], Normalization] = support_moments,
    ):
        super().__init__()
        self.backbone, self.l2, self.num_steps = backbone, l2, num_steps
        self.protocol, self.normalization = callable_name(normalization), normalization()

    def forward(self, episode: Episode) -> Tensor:
        """Raises UserError in training mode, for a regression, or for features that are no vectors."""
        if self.training:
            raise UserError(
                "LinearProbeLearner is not trained, its features are frozen; train another learner, and use this one "
                "in the evaluation"
            )
        if episode.support_y.is_floating_point():
            raise UserError("LinearProbeLearner needs classes, and a regression has none; leave it out")
        with torch.no_grad():
            support, query = self.normalization(self.backbone, episode.support_x, episode.query_x)
        return F.linear(query, *self.fitted(support, episode))

    def scorer(self, episode: Episode) -> Scorer:
        support, embed_query = embed_support(self.backbone, episode.support_x)
        weight, bias = self.fitted(support, episode)
        return lambda query_x: F.linear(embed_query(query_x), weight, bias)

    def fitted(self, features: Tensor, episode: Episode) -> tuple[Tensor, Tensor]:
        """(W [way, D], b [way]) of the support features [Ns, D]. Raises UserError if they are no vectors."""
        require_vectors(features)
        return logistic_regression(features, episode.support_y, episode.way, self.l2, self.num_steps)

    def stamp(self) -> dict:
        own = super().stamp()
        own |= protocol_stamp(own["batch_norm"], self.protocol, self.normalization)
        return own | {"l2": self.l2, "steps": self.num_steps}


def logistic_regression(features: Tensor, labels: Tensor, way: int, l2: float, num_steps: int) -> tuple[Tensor, Tensor]:
    """(W [way, D], b [way]) after at most `num_steps` of L-BFGS in float64, of the dtype of `features` [N, D].

    It works on W x + b = V (x - m) / c + d, in which features are centred and all curvatures are of the order of one,
    whatever the scale of the features and the strength of the penalty; the minimum is the same.
    """
    x = features.double()
    m = x.mean(dim=0)
    c = ((x - m).square().mean() + l2).clamp(min=TINY).sqrt()
    x = (x - m) / c
    v, d = x.new_zeros(way, x.shape[1], requires_grad=True), x.new_zeros(way, requires_grad=True)
    optimizer = torch.optim.LBFGS([v, d], max_iter=num_steps, **TOLERANCES, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(x, v, d), labels) + l2 / 2 * (v / c).square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    weight = v.detach() / c
    return weight.to(features.dtype), (d.detach() - weight @ m).to(features.dtype)
