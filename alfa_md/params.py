"""Fast weights: name -> tensor dictionaries, and operations on them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from alfa_md.kernels import all_layers
from alfa_md.kernels.dispatch import launch_bound

Params = dict[str, Tensor]
# Names of the fast weights that a rule is built for, with tensors where shapes are fixed: way changes that of a head.
Template = Mapping[str, object]


def pick(module: nn.Module, prefix: str, chosen: Callable[[str, nn.Module], bool] = lambda name, owner: True) -> Params:
    """The parameters of `module` by qualified name behind `prefix`, for which `chosen(name, owner)` is true.

    `owner` is the innermost submodule that holds the parameter. The tensors are the live parameters, not copies.
    """
    named = (
        (prefix + (f"{path}.{name}" if path else name), owner, tensor)
        for path, owner in module.named_modules()
        for name, tensor in owner.named_parameters(recurse=False)
    )
    return {name: tensor for name, owner, tensor in named if chosen(name, owner)}


def strip(params: Params, prefix: str) -> Params:
    """The entries whose name starts with `prefix`, under the rest of their name."""
    return {name.removeprefix(prefix): tensor for name, tensor in params.items() if name.startswith(prefix)}


def layer_means(params: Params) -> Tensor:
    """The mean of every tensor, in order [N]. A "layer" of ALFA is one tensor: weight and bias count separately."""
    tensors = list(params.values())
    if launch_bound(tensors[0]):
        return all_layers.means(tensors)
    return torch.stack([tensor.mean() for tensor in tensors])


def zeros_like(params: Params) -> Params:
    """Zeros of the same names, shapes and types."""
    return {name: torch.zeros_like(tensor) for name, tensor in params.items()}
