"""Weight decay: the tensors of a learner that it acts on, decided by tensor and by a module's own word."""

from torch import nn

from alfa_md.rules.base import UpdateRule

# Their parameters are scales, offsets and embeddings, whatever the number of dimensions.
EXEMPT = (nn.LayerNorm, nn.RMSNorm, nn.Embedding, UpdateRule)


def decayed_parameters(module: nn.Module) -> list[nn.Parameter]:
    """The parameters of two or more dimensions: linear weights and convolution kernels, not biases and scales.

    Never those of a normalisation, of an `nn.Embedding` or of an update rule, nor those that a module excludes itself:
    `no_weight_decay()` returns their names below it, such as {"position"}; as in timm, names that it lacks are allowed.
    """
    if isinstance(module, EXEMPT):
        return []
    excluded = excluded_parameters(module)
    own = [parameter for parameter in module.parameters(recurse=False) if parameter.dim() >= 2]
    below = [parameter for child in module.children() for parameter in decayed_parameters(child)]
    return [parameter for parameter in own + below if id(parameter) not in excluded]


def excluded_parameters(module: nn.Module) -> set[int]:
    """The identities of the parameters that the module excludes itself."""
    if not hasattr(module, "no_weight_decay"):
        return set()
    names = module.no_weight_decay()
    return {id(parameter) for name, parameter in module.named_parameters() if name in names}
