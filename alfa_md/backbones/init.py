"""How the networks of Meta-Dataset start."""

from torch import nn


def truncated_normal_kernels(network: nn.Module, std: float = 0.1) -> None:
    """Draws every convolution kernel from N(0, std^2) cut at two sigma, whatever the fan-in."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
