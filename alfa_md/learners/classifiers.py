"""Classifiers of a fixed number of classes, for pretraining: features [N, D] -> scores [N, C]."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.values import Features, Positive

EPSILON = 1e-3  # lower bound on the squared norm of a row, as in Meta-Dataset's normalisation


class Classifier(nn.Module):
    """Base class: `weight` [C, D] has a row for every class; a subclass defines `scores`."""

    def __init__(self, weight: Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight)

    @property
    def num_classes(self) -> int:
        return len(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Scores [N, C]. Raises UserError if the number of features is not that of a row of weights."""
        expected, given = self.weight.shape[1], features.shape[1]
        if given != expected:
            name = f"{type(self).__name__}.num_features"
            raise UserError(
                f"{name} = {expected}, but the backbone gives {given} features for these images; set {name} (the macro "
                f"NUM_FEATURES of the gin files) to {given}"
            )
        return self.scores(features)

    def scores(self, features: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not say how it scores: define its scores")


@gin.configurable
class LinearClassifier(Classifier):
    """W x + b; weights are initialised from N(0, 0.1^2) truncated at two sigma, biases with 0.1."""

    def __init__(self, num_features: Features = gin.REQUIRED, num_classes: Features = gin.REQUIRED):
        super().__init__(initial_weight(num_classes, num_features))
        self.bias = nn.Parameter(torch.full((num_classes,), 0.1))

    def scores(self, features: Tensor) -> Tensor:
        return F.linear(features, self.weight, self.bias)


@gin.configurable
class CosineClassifier(Classifier):
    """multiplier * cos(x, w_c), without bias; weights are initialised from N(0, 0.1^2) truncated at two sigma."""

    def __init__(
        self, num_features: Features = gin.REQUIRED, num_classes: Features = gin.REQUIRED, multiplier: Positive = 1.0
    ):
        super().__init__(initial_weight(num_classes, num_features))
        self.multiplier = multiplier

    def scores(self, features: Tensor) -> Tensor:
        return self.multiplier * F.linear(normalize_rows(features), normalize_rows(self.weight))


@gin.configurable
class ScaledCosineClassifier(Classifier):
    """g_c * cos(x, w_c), without bias and with a learned scale g_c for every class: Meta-Dataset's "weight norm".

    w_c = g_c v_c / |v_c|, where only the features are normalised further. As in Meta-Dataset, v is initialised from
    N(0, 0.05^2), and neither v nor g has weight decay. g is initialised with 1; Meta-Dataset's initialisation depends
    on the data: one over the standard deviation of x . v / |v| in the first batch.
    """

    def __init__(self, num_features: Features = gin.REQUIRED, num_classes: Features = gin.REQUIRED):
        super().__init__(0.05 * torch.randn(num_classes, num_features))
        self.scale = nn.Parameter(torch.ones(num_classes))

    def no_weight_decay(self) -> set[str]:
        """The directions v, whose norm has no effect on the scores."""
        return {"weight"}

    def scores(self, features: Tensor) -> Tensor:
        return self.scale * F.linear(normalize_rows(features), F.normalize(self.weight, dim=1))


def initial_weight(*shape: int) -> Tensor:
    """Meta-Dataset's initialisation: N(0, 0.1^2) truncated at two sigma."""
    return nn.init.trunc_normal_(torch.empty(shape), std=0.1, a=-0.2, b=0.2)


def normalize_rows(x: Tensor) -> Tensor:
    """Rows [N, D] divided by their norm, or by sqrt(EPSILON) if their norm is smaller."""
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True).clamp(min=EPSILON))
