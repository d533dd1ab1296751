"""Fast weights: name -> tensor dictionaries, and the few things one does with them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from alfa_md.kernels import all_layers
from alfa_md.kernels.order import launching_is_slow

Params = dict[str, Tensor]
# What is known of fast weights when a rule is built: their names. Way changes the head's shape, never its names.
Template = Mapping[str, object]


def pick(module: nn.Module, prefix: str, chosen: Callable[[nn.Module], bool] = lambda owner: True) -> Params:
    """The parameters of `module` by qualified name, each behind `prefix`, where `chosen(owner)` holds.

    `owner` is the innermost submodule that holds the parameter. The tensors are the live parameters, not copies.
    """
    owners = ((path, owner) for path, owner in module.named_modules() if chosen(owner))
    return {
        prefix + (f"{path}.{name}" if path else name): tensor
        for path, owner in owners
        for name, tensor in owner.named_parameters(recurse=False)
    }


def strip(params: Params, prefix: str) -> Params:
    """The entries whose name starts with `prefix`, under the rest of their name."""
    return {name.removeprefix(prefix): tensor for name, tensor in params.items() if name.startswith(prefix)}


def layer_means(params: Params) -> Tensor:
    """The mean of every tensor, in order [N]. A "layer" of ALFA is one tensor: weight and bias count separately."""
    tensors = list(params.values())
    if launching_is_slow(tensors[0]):
        return all_layers.means(tensors)
    return torch.stack([tensor.mean() for tensor in tensors])
