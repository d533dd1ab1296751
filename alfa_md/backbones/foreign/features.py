"""Functions from what a network of another library returns to features [N, D].

A network returns a tensor (timm, torchvision), or an object with `last_hidden_state` and `pooler_output`
(transformers): tokens [N, T, D], or a map [N, D, H, W].
"""

from typing import Any

import gin
from torch import Tensor

from alfa_md.errors import UserError, require_at_least
from alfa_md.values import CountOrZero


@gin.configurable
def automatic(output: Any) -> Tensor:
    """What the network pools itself; else the class token of tokens, or the mean of a map over space."""
    pooled = getattr(output, "pooler_output", None)
    hidden = last_hidden(output) if pooled is None else pooled
    if hidden.dim() == 3:
        return hidden[:, 0]
    return hidden.mean(dim=(2, 3)) if hidden.dim() == 4 else hidden


@gin.configurable
def class_token(output: Any) -> Tensor:
    """The first token."""
    return _tokens(output)[:, 0]


@gin.configurable
class patch_mean:  # noqa: N801  named as in gin files
    """The mean over tokens after the first `skipped`: one class token, and any registers."""

    def __init__(self, skipped: CountOrZero = 1):
        require_at_least(0, "patch_mean", skipped=skipped)
        self.skipped = skipped

    def __call__(self, output: Any) -> Tensor:
        tokens = _tokens(output)
        if self.skipped >= tokens.shape[1]:
            raise UserError(f"patch_mean.skipped = {self.skipped} leaves none of {tokens.shape[1]} tokens; lower it")
        return tokens[:, self.skipped :].mean(dim=1)


def last_hidden(output: Any) -> Tensor:
    """The last tokens or the last map. Raises UserError for an output of another form."""
    hidden = getattr(output, "last_hidden_state", output)
    if not isinstance(hidden, Tensor):
        raise UserError(f"the network returns a {type(output).__name__}; bind features to a function of its output")
    return hidden


def _tokens(output: Any) -> Tensor:
    hidden = last_hidden(output)
    if hidden.dim() != 3:
        raise UserError(f"the network returns {list(hidden.shape)}, no tokens [N, T, D]; bind features = @automatic")
    return hidden
