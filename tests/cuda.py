"""Helpers of GPU tests, which are skipped without a GPU."""

import pytest
import torch
from torch import Tensor, nn

from alfa_md.episode import Episode

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CUDA = torch.device("cuda")


def to_gpu(episode: Episode) -> Episode:
    """The episode on the GPU."""
    return episode.map(lambda tensor: tensor.to(CUDA))


def learner_to_gpu(learner: nn.Module) -> nn.Module:
    """The learner on the GPU, in channels_last."""
    return learner.to(CUDA, memory_format=torch.channels_last)


def assert_near(own: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-9) -> None:
    """Asserts equality relative to the largest entry of all, because libraries sum in different orders."""
    assert own.keys() == expected.keys()
    largest = max(value.abs().max().item() for value in expected.values())
    for name, value in expected.items():
        error = (own[name].cpu() - value.cpu()).abs().max().item()
        assert error <= tolerance * largest, f"{name}: {error} of {largest}"
