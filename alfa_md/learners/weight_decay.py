"""Selection of the parameters with weight decay: by dimension, by layer type and by `no_weight_decay()`."""

from torch import nn

from alfa_md.rules.base import UpdateRule

# No parameter of these is decayed, whatever its number of dimensions.
EXEMPT = (nn.LayerNorm, nn.RMSNorm, nn.Embedding, UpdateRule)


def decayed_parameters(module: nn.Module) -> list[nn.Parameter]:
    """The parameters of two or more dimensions: linear and convolution weights, not biases and scales.

    Excluded are those of normalisations, of `nn.Embedding` and of update rules, and those that a module names in
    `no_weight_decay()`, relative to itself, such as {"position"}. As in timm, names of no parameter are allowed.
    """
    if isinstance(module, EXEMPT):
        return []
    excluded = excluded_parameters(module)
    own = [parameter for parameter in module.parameters(recurse=False) if parameter.dim() >= 2]
    below = [parameter for child in module.children() for parameter in decayed_parameters(child)]
    return [parameter for parameter in own + below if id(parameter) not in excluded]


def excluded_parameters(module: nn.Module) -> set[int]:
    """The ids of the parameters that `module.no_weight_decay()` names."""
    if not hasattr(module, "no_weight_decay"):
        return set()
    names = module.no_weight_decay()
    return {id(parameter) for name, parameter in module.named_parameters() if name in names}
