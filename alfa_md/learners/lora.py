"""LoRA (Hu et al., ICLR 2022): low-rank factors of weight matrices as the part of a backbone that is adapted."""

from operator import attrgetter

import gin
from torch import Tensor, nn

from alfa_md.errors import UserError, require_at_least
from alfa_md.learners.adapts import HEAD, regular_expression
from alfa_md.params import Params, select_parameters, strip_prefix
from alfa_md.values import Positive, Width

FACTORS = "factors."
MATRICES = (nn.Linear, nn.modules.conv._ConvNd, nn.MultiheadAttention)  # owners of weight matrices


class NoFactors(nn.Module):
    """The factors that a predicate without any adds to a backbone."""

    def __init__(self, backbone: nn.Module):
        super().__init__()

    def weights(self, backbone: nn.Module, fast: Params) -> Params:
        """The backbone's weights that factors change, by name, under fast weights: none."""
        return {}


class LowRank(NoFactors):
    """Factors A [r, in] and B [out, r] for every chosen weight W [out, in], which becomes W + (alpha / r) B A.

    The weight of a convolution [out, C, h, w] is a matrix [out, C h w]. They are named `NAME_OF_W.A` and `.B`. As in
    the authors' code, A starts from U(-1/sqrt(in), 1/sqrt(in)) and B from zero, so that the backbone starts unchanged.
    """

    def __init__(self, backbone: nn.Module, names: list[str], rank: int, alpha: float):
        super().__init__(backbone)
        self.names, self.scale = names, alpha / rank
        for name in names:
            weight = attrgetter(name)(backbone).detach().flatten(1)
            bound = weight.shape[1] ** -0.5
            pair = submodule(self, name)
            pair.A = nn.Parameter(weight.new_empty(rank, weight.shape[1]).uniform_(-bound, bound))
            pair.B = nn.Parameter(weight.new_zeros(len(weight), rank))

    def weights(self, backbone: nn.Module, fast: Params) -> Params:
        """The weights W + (alpha / r) B A by name; factors that are not in `fast` have their own values."""
        own = dict(self.named_parameters()) | strip_prefix(fast, FACTORS)
        return {
            name: self.merged(attrgetter(name)(backbone), own[f"{name}.A"], own[f"{name}.B"]) for name in self.names
        }

    def merged(self, weight: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return weight + (self.scale * (b @ a)).reshape(weight.shape)


@gin.configurable
class lora:  # noqa: N801  named as in gin files
    """The head, and low-rank factors of weight matrices of the backbone, for `GradientLearner.adapts`.

    The factors are meta-learned, and adapted by the inner loop; the matrices themselves are not adapted. Any use that a
    module makes of its weights is served, as they are merged before the forward pass.

    Args:
      rank: r, at most the smaller side of every chosen matrix.
      alpha: the change of a weight is (alpha / r) B A.
      pattern: a regular expression found anywhere in the names of the chosen weights, such as 'qkv|mlp'; by default
        all weights of linear layers, attention and convolutions.
    """

    def __init__(self, rank: Width = 4, alpha: Positive = 4.0, pattern: str = ""):
        require_at_least(1, "lora", rank=rank)
        self.rank, self.alpha, self.pattern = rank, alpha, regular_expression("lora.pattern", pattern)
        of = f" of {pattern!r}" if pattern else ""
        self.__name__ = f"lora(rank {rank}, alpha {alpha:g}){of}"

    def __call__(self, name: str, owner: nn.Module) -> bool:
        return name.startswith((HEAD, FACTORS))

    def factors(self, backbone: nn.Module) -> LowRank:
        """New factors for the backbone. Raises UserError if no weight is chosen, or if one is too small for r."""

        def chosen(name: str, owner: nn.Module) -> bool:
            return isinstance(owner, MATRICES) and self.pattern.search(name) is not None

        weights = {name: w for name, w in select_parameters(backbone, "", chosen).items() if w.dim() >= 2}
        network = type(backbone).__name__
        if not weights:
            raise UserError(
                f"lora.pattern = {self.pattern.pattern!r} is in the name of no weight matrix of {network}; "
                "leave it out for all linear layers and convolutions"
            )
        for name, weight in weights.items():
            smaller = min(weight.flatten(1).shape)
            if self.rank > smaller:
                raise UserError(
                    f"lora.rank = {self.rank} is above the rank {smaller} of {name} of {network}; lower it, or leave "
                    "this weight out by lora.pattern"
                )
        return LowRank(backbone, list(weights), self.rank, self.alpha)


def submodule(root: nn.Module, path: str) -> nn.Module:
    """The module below `root` at a dotted path, made of empty modules where there is none."""
    for part in path.split("."):
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root._modules[part]
    return root
