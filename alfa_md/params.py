"""Fast weights: name -> tensor mappings, and operations on them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from alfa_md.flat_params import FlatParams
from alfa_md.kernels import multi_tensor
from alfa_md.kernels.dispatch import launch_bound

Params = Mapping[str, Tensor]
# Fast weights that a rule is built for: name -> tensor, or None if the shape varies with the way, as in some heads.
Template = Mapping[str, object]


def select_parameters(
    module: nn.Module, prefix: str, chosen: Callable[[str, nn.Module], bool] = lambda name, owner: True
) -> Params:
    """The parameters of `module` with `chosen(name, owner)`, by `prefix` + qualified name.

    `owner` is the innermost submodule that holds the parameter. The tensors are the live parameters, not copies.
    """
    named = (
        (prefix + (f"{path}.{name}" if path else name), owner, tensor)
        for path, owner in module.named_modules()
        for name, tensor in owner.named_parameters(recurse=False)
    )
    return {name: tensor for name, owner, tensor in named if chosen(name, owner)}


def strip_prefix(params: Params, prefix: str) -> Params:
    """The entries whose name starts with `prefix`, with the prefix removed."""
    return {name.removeprefix(prefix): tensor for name, tensor in params.items() if name.startswith(prefix)}


def layer_means(params: Params) -> Tensor:
    """The mean of every tensor [N], in order. A "layer" of ALFA is one tensor: weight and bias are separate layers."""
    if isinstance(params, FlatParams):
        return params.layout.means(params.flat)
    tensors = list(params.values())
    if launch_bound(tensors[0]):
        return multi_tensor.tensor_means(tensors)
    return torch.stack([tensor.mean() for tensor in tensors])


def zeros_like(params: Params) -> Params:
    """Zeros with the same names, shapes and dtypes."""
    return {name: torch.zeros_like(tensor) for name, tensor in params.items()}
