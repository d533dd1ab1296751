"""A learning state whose entries are all of the order of one, however large the tensors they come from."""

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


@gin.configurable
class NormalizedState(Accumulator):
    """tau [size]: the means of `LearningState`, each divided by its own running root mean square. Not in the paper.

    The mean square of an entry is taken over tasks and inner steps, and over updates as a running average that keeps
    `momentum` of itself; the first update sets it. It changes at the end of an update, never within one, and never in
    evaluation. An entry of which nothing but zero is known, as all are in the first update, is left as it is. No
    entry acts on the scale of another, as in a normalisation of the whole vector, where the largest (the bias of a
    head made of prototypes) would hide all others.

    `without` leaves out entries by patterns of `fnmatch` on "weights/<tensor>" and "gradients/<tensor>". Leave out what
    is zero but for rounding, which would be scaled up to noise of the order of one: "gradients/head.*" under cross
    entropy, whose gradients add up to zero over the classes, "weights/head.bias" of a learned head that starts at 0,
    and "*/backbone.layers.*.0.bias" in `Conv4`, the biases that batch normalisation takes out again.
    `detached` is that of `LearningState`.

    Raises UserError for a pattern that matches no entry, and where no entry is left.
    """

    def __init__(
        self,
        template: Template,
        without: Sequence[str] = (),
        detached: Sequence[str] = ("gradients",),
        momentum: float = 0.99,
    ):
        if not {*detached} <= {*PARTS}:
            raise UserError(f"NormalizedState.detached = {detached!r}: choose among {PARTS}")
        if not 0 <= momentum < 1:
            raise UserError(f"NormalizedState.momentum = {momentum!r} must be at least 0 and less than 1")
        left = remaining([f"{part}/{name}" for part in PARTS for name in template], without)
        super().__init__(len(left) + 1)
        self.entries, self.size = left, len(left)
        self.detached, self.momentum = frozenset(detached), momentum
        self.register_buffer("mean_square", torch.zeros(self.size, dtype=torch.float64))  # 0: not known yet

    def forward(self, params: Params, grads: Params) -> Tensor:
        parts = {"weights": params, "gradients": grads}
        means = layer_means({entry: self._tensor(parts, *entry.split("/", 1)) for entry in self.entries})
        self.update(F.pad(means.detach().double().square(), (0, 1), value=1.0))  # the last entry counts them
        return means / self.scale().to(means.dtype)

    def scale(self) -> Tensor:
        """What the entries are divided by [size]."""
        return torch.where(self.mean_square > 0, self.mean_square.sqrt(), 1.0)

    def merge(self, sums: Tensor) -> None:
        if sums[-1] > 0:
            now = sums[:-1] / sums[-1]
            running = self.mean_square.lerp(now, 1 - self.momentum)
            self.mean_square.copy_(torch.where(self.mean_square > 0, running, now))

    def _tensor(self, parts: dict[str, Params], part: str, name: str) -> Tensor:
        tensor = parts[part][name]
        return tensor.detach() if part in self.detached else tensor


def remaining(entries: Sequence[str], without: Sequence[str]) -> list[str]:
    """The entries that match none of the patterns."""
    for pattern in without:
        if not any(fnmatchcase(entry, pattern) for entry in entries):
            known = ", ".join(entries)
            raise UserError(f"NormalizedState.without: {pattern!r} matches no entry of the state; there are: {known}")
    left = [entry for entry in entries if not any(fnmatchcase(entry, pattern) for pattern in without)]
    if not left:
        raise UserError(f"NormalizedState.without = {without!r} leaves no entry; take out a pattern")
    return left
