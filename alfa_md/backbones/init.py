"""Initialisations of convolution weights."""

from torch import nn


def init_truncated_normal(network: nn.Module, std: float = 0.1) -> None:
    """All convolution weights from N(0, std^2) truncated at two sigma, for any fan-in, as in Meta-Dataset."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)


def init_xavier_uniform(network: nn.Module) -> None:
    """All convolution weights Xavier-uniform (Glorot and Bengio, 2010), convolution biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
