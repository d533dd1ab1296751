"""Heads: the initial linear classifier of an episode, which is zero, meta-learned, or made of prototypes."""

from collections.abc import Callable

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.errors import UserError, require_at_least
from alfa_md.normalization import Embed
from alfa_md.params import Params, Template
from alfa_md.values import Features

NAMES = ("head.weight", "head.bias")


class Head(nn.Module):
    """Makes the initial fast weights `head.weight` [way, D] and `head.bias` [way] of an episode."""

    def template(self) -> Template:
        """name -> initial tensor shared by all episodes, or None if it is made per episode."""
        return dict.fromkeys(NAMES)

    def forward(self, embed: Embed, support_x: Tensor, support_y: Tensor, way: int) -> Params:
        """Both weights, from support labels [Ns] and `embed`, called on the support images or on a prefix of them."""
        raise TypeError(f"{type(self).__name__} does not say how an episode's head starts: define its forward")


@gin.configurable
class ZeroHead(Head):
    """The head of fo-MAML on Meta-Dataset: weight and bias are zero in every episode, for any way."""

    def forward(self, embed: Embed, support_x: Tensor, support_y: Tensor, way: int) -> Params:
        with torch.no_grad():
            features = embed(support_x[:2])  # only the number and dtype of features are used
        require_vectors(features)
        weight = features.new_zeros(way, features.shape[1])
        return {"head.weight": weight, "head.bias": weight.new_zeros(way)}


@gin.configurable
def truncated_normal(weight: Tensor, bias: Tensor) -> None:
    """Meta-Dataset's: weights from N(0, 0.1^2) truncated at two sigma, biases 0.1."""
    nn.init.trunc_normal_(weight, std=0.1, a=-0.2, b=0.2)
    nn.init.constant_(bias, 0.1)


@gin.configurable
def xavier(weight: Tensor, bias: Tensor) -> None:
    """The image benchmarks' (MAML++ and ALFA): Xavier uniform weights, biases 0."""
    nn.init.xavier_uniform_(weight)
    nn.init.zeros_(bias)


@gin.configurable
def uniform(weight: Tensor, bias: Tensor) -> None:
    """PyTorch's default for linear layers: weights and biases from U(-1/sqrt(D), 1/sqrt(D))."""
    bound = weight.shape[1] ** -0.5
    nn.init.uniform_(weight, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)


@gin.configurable
class LearnedHead(Head):
    """A meta-learned linear layer of `max_way` outputs (MAML), of which an episode uses the first `way`."""

    def __init__(
        self,
        num_features: Features = gin.REQUIRED,
        max_way: Features = gin.REQUIRED,
        initialize: Callable[[Tensor, Tensor], None] = truncated_normal,
    ):
        super().__init__()
        require_at_least(1, "LearnedHead", num_features=num_features, max_way=max_way)
        self.weight = nn.Parameter(torch.empty(max_way, num_features))
        self.bias = nn.Parameter(torch.empty(max_way))
        initialize(self.weight, self.bias)

    def template(self) -> Template:
        return dict(zip(NAMES, (self.weight, self.bias), strict=True))

    def forward(self, embed: Embed, support_x: Tensor, support_y: Tensor, way: int) -> Params:
        """Raises UserError if the episode has more classes than the head."""
        if way > len(self.weight):
            raise UserError(f"an episode of {way} ways needs LearnedHead.max_way >= {way}, not {len(self.weight)}")
        return {"head.weight": self.weight[:way], "head.bias": self.bias[:way]}


@gin.configurable
class PrototypeHead(Head):
    """Proto-MAML (Triantafillou et al., 2020): the linear form of the squared distance to prototypes.

    W_k = 2 c_k and b_k = -|c_k|^2. Gradients flow through the prototypes c_k, in first order too.
    """

    def forward(self, embed: Embed, support_x: Tensor, support_y: Tensor, way: int) -> Params:
        if support_y.is_floating_point():
            raise UserError("PrototypeHead needs classes, and a regression has none; bind @LearnedHead()")
        c = prototypes(embed(support_x), support_y, way)
        return {"head.weight": 2 * c, "head.bias": -(c * c).sum(dim=1)}


def require_vectors(features: Tensor) -> None:
    """Raises UserError if features are not [N, D]."""
    if features.dim() != 2:
        shape = list(features.shape)
        raise UserError(f"the backbone gives features of shape {shape}; it must give [N, D], by nn.Flatten() or a mean")


def prototypes(features: Tensor, labels: Tensor, way: int) -> Tensor:
    """The class means [way, D] of features [N, D] with labels [N]."""
    require_vectors(features)
    membership = (labels[:, None] == torch.arange(way, device=labels.device)).to(features.dtype)  # [N, way]
    return membership.T @ features / membership.sum(dim=0)[:, None]


def linear(features: Tensor, params: Params) -> Tensor:
    """The head's scores [N, way] of features [N, D]. Raises UserError for other features, or a head of another D."""
    require_vectors(features)
    if features.shape[-1] != params["head.weight"].shape[-1]:
        raise UserError(
            f"the backbone gives {features.shape[-1]} features, but the head takes {params['head.weight'].shape[-1]}; "
            f"set LearnedHead.num_features (the macro NUM_FEATURES of the gin files) to {features.shape[-1]}"
        )
    return F.linear(features, params["head.weight"], params["head.bias"])
