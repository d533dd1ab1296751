"""Selection of the device, with simulated GPUs."""

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.system import device


@pytest.fixture
def gpus(monkeypatch):
    """Simulates `number` GPUs for process `rank`; returns the list of GPUs made current."""

    def see(number: int, rank: int) -> list[int]:
        current = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
        monkeypatch.setattr(torch.cuda, "set_device", current.append)
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        return current

    return see


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_takes_a_gpu_of_its_own(gpus, name):
    for rank in range(2):
        current = gpus(2, rank)
        assert device.choose(name) == torch.device("cuda", rank) and current == [rank]


def test_the_cpu_needs_no_gpu(gpus):
    current = gpus(1, 3)
    assert device.choose("cpu") == torch.device("cpu") and current == []
    gpus(0, 0)
    assert device.choose("auto") == torch.device("cpu")


def test_a_missing_gpu_is_an_error(gpus):
    gpus(2, 2)
    with pytest.raises(UserError, match="process 2 has no GPU of its own; torchrun --nproc_per_node=2"):
        device.choose("auto")
    gpus(0, 0)
    with pytest.raises(UserError, match="torch sees no CUDA GPU here"):
        device.choose("cuda")
