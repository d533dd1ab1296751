"""How networks start."""

from torch import nn


def truncated_normal_kernels(network: nn.Module, std: float = 0.1) -> None:
    """Draws every convolution kernel from N(0, std^2) cut at two sigma, whatever the fan-in, as Meta-Dataset does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)


def xavier_kernels(network: nn.Module) -> None:
    """Draws every convolution kernel uniformly (Glorot and Bengio, 2010); convolution biases start at zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
