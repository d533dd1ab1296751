"""MLP backbone of few-shot regression (Finn et al., 2017); the last layer is the learner's head."""

from collections.abc import Sequence

import gin
from torch import Tensor, nn

from alfa_md.errors import UserError, require_at_least
from alfa_md.values import Width


@gin.configurable
class RegressionMLP(nn.Module):
    """Linear layers with ReLU after each: points [N, D] -> features [N, hidden[-1]].

    With a learned head of one output: 1 761 parameters for 40, 40 and 13 201 for 80, 80, 80. PyTorch's default
    initialisation.

    Args:
      hidden: the width of every layer.
      in_features: D of the points.
    """

    static = True  # operations do not depend on values: episodes may be recorded and replayed

    def __init__(self, hidden: Sequence[Width] = (40, 40), in_features: Width = 1):
        super().__init__()
        if not isinstance(hidden, Sequence) or not hidden:
            raise UserError(f"RegressionMLP.hidden = {hidden!r} must list the width of every layer, such as (40, 40)")
        named = {f"hidden[{i}]": width for i, width in enumerate(hidden)}
        require_at_least(1, "RegressionMLP", in_features=in_features, **named)
        self.in_features = in_features
        widths = [in_features, *hidden]
        layers = ((nn.Linear(c, d), nn.ReLU()) for c, d in zip(widths, hidden, strict=False))
        self.layers = nn.Sequential(*(module for pair in layers for module in pair))

    def no_weight_decay(self) -> set[str]:
        """All parameters: in regression only the weight of the head is decayed."""
        return {name for name, _ in self.named_parameters()}

    def forward(self, points: Tensor) -> Tensor:
        if points.dim() != 2:
            raise UserError(
                f"RegressionMLP takes points [N, D], but this data has {points.dim()} dimensions; "
                "bind a backbone for it, as BACKBONE = @FourLayerConvNet() for images"
            )
        if points.shape[-1] != self.in_features:
            given = points.shape[-1]
            raise UserError(
                f"RegressionMLP.in_features = {self.in_features}, but the points have {given}; set it to {given}"
            )
        return self.layers(points)
