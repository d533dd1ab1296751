"""Normalised learning state: every entry divided by its running root mean square. Not in the paper."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import gin
import torch
import torch.nn.functional as F
from torch import Tensor

from alfa_md.accumulators import Accumulator
from alfa_md.errors import UserError
from alfa_md.params import Params, Template, layer_means
from alfa_md.rules.learning_state import PARTS
from alfa_md.values import Momentum


@gin.configurable
class NormalizedState(Accumulator):
    """tau [size]: the means of `LearningState`, each divided by its own running root mean square.

    The mean square of an entry is over the tasks and inner steps of an outer update, with an exponential moving average
    over updates (`momentum`); the first update initialises it. It changes at the end of an update only, and never in
    evaluation. Entries with a mean square of zero, as all in the first update, are not scaled. Entries are scaled
    independently: a normalisation of the whole vector would be dominated by the largest, the bias of a PrototypeHead.

    `without` excludes entries by `fnmatch` patterns on "weights/<tensor>" and "gradients/<tensor>". Exclude entries
    that are zero up to rounding, which would be scaled up to noise: "gradients/head.*" under cross entropy, whose
    gradients sum to zero over the classes, "weights/head.bias" of a learned head initialised with 0, and
    "*/backbone.layers.*.0.bias" in `Conv4`, the biases without effect before batch normalisation.
    `detached` is that of `LearningState`.

    Raises UserError for a pattern that matches no entry, and if no entry is left.
    """

    def __init__(
        self,
        template: Template,
        without: Sequence[str] = (),
        detached: Sequence[str] = ("gradients",),
        momentum: Momentum = 0.99,
    ):
        if not {*detached} <= {*PARTS}:
            raise UserError(f"NormalizedState.detached = {detached!r}: choose among {PARTS}")
        if not 0 <= momentum < 1:
            raise UserError(f"NormalizedState.momentum = {momentum!r} must be at least 0 and less than 1")
        left = selected_entries([f"{part}/{name}" for part in PARTS for name in template], without)
        super().__init__(len(left) + 1)
        self.entries, self.size = left, len(left)
        self.detached, self.momentum = frozenset(detached), momentum
        self.register_buffer("mean_square", torch.zeros(self.size, dtype=torch.float64))  # 0: no data yet

    def forward(self, params: Params, grads: Params) -> Tensor:
        parts = {"weights": params, "gradients": grads}
        means = layer_means({entry: self._tensor(parts, *entry.split("/", 1)) for entry in self.entries})
        self.update(F.pad(means.detach().double().square(), (0, 1), value=1.0))  # the last entry is their number
        return means / self.scale().to(means.dtype)

    def scale(self) -> Tensor:
        """The root mean squares [size], the divisors of the entries; 1 where the mean square is 0."""
        return torch.where(self.mean_square > 0, self.mean_square.sqrt(), 1.0)

    def merge(self, sums: Tensor) -> None:
        if sums[-1] > 0:
            now = sums[:-1] / sums[-1]
            running = self.mean_square.lerp(now, 1 - self.momentum)
            self.mean_square.copy_(torch.where(self.mean_square > 0, running, now))

    def _tensor(self, parts: dict[str, Params], part: str, name: str) -> Tensor:
        tensor = parts[part][name]
        return tensor.detach() if part in self.detached else tensor


def selected_entries(entries: Sequence[str], without: Sequence[str]) -> list[str]:
    """The entries that match no pattern of `without`. Raises UserError for unused patterns and an empty result."""
    for pattern in without:
        if not any(fnmatchcase(entry, pattern) for entry in entries):
            known = ", ".join(entries)
            raise UserError(f"NormalizedState.without: {pattern!r} matches no entry of the state; there are: {known}")
    left = [entry for entry in entries if not any(fnmatchcase(entry, pattern) for pattern in without)]
    if not left:
        raise UserError(f"NormalizedState.without = {without!r} leaves no entry; take out a pattern")
    return left
