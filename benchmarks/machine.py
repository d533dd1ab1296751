"""Properties of the benchmark machine: clock, allocator setting, peak convolution speed, description."""

import ctypes
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F

from alfa_md.system.allocator import M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, keep_freed_pages

DEFAULT_THRESHOLD = 2**25  # bytes; glibc raises its threshold up to here by itself


@contextmanager
def clock(device: torch.device) -> Iterator[Callable[[], float]]:
    """Yields a function that returns the seconds of the block: CPU time, or wall time with the GPU synchronised."""
    if device.type == "cpu":
        start = time.process_time()
        yield lambda: end - start
        end = time.process_time()
        return
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    yield lambda: end - start
    torch.cuda.synchronize(device)
    end = time.perf_counter()


@contextmanager
def default_allocator() -> Iterator[None]:
    """Restores glibc's default allocator setting for the block: fresh pages for large tensors, freed after use."""
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(M_MMAP_THRESHOLD, DEFAULT_THRESHOLD)
    libc.mallopt(M_TRIM_THRESHOLD, 2 * DEFAULT_THRESHOLD)
    libc.malloc_trim(0)
    try:
        yield
    finally:
        keep_freed_pages()


def convolution_peak(device: torch.device) -> float:
    """GFLOP/s of the fastest of some 3x3 convolutions of [N, 48 or 64 or 128, 42, 42] maps in float32."""
    best, number = 0.0, 25 if device.type == "cpu" else 1024  # enough to saturate the device
    for channels in (48, 64, 128):
        x = torch.randn(number, channels, 42, 42, device=device).to(memory_format=torch.channels_last)
        weight = torch.randn(channels, channels, 3, 3, device=device).to(memory_format=torch.channels_last)
        flop = 2 * 9 * channels**2 * x[:, 0].numel()
        for _ in range(10):
            with clock(device) as spent:
                F.conv2d(x, weight, padding=1)
            best = max(best, flop / spent() / 1e9)
    return best


def describe_machine(device: torch.device) -> str:
    """Processor, cores and versions as text."""
    if device.type != "cpu":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    features = [name for name in ("avx2", "avx512f", "amx_bf16") if any(name in line.split() for line in lines)]
    processor = f"{platform.machine()} ({', '.join([*sorted(names), *features])})"
    return f"{processor}, one of {os.cpu_count()} cores, torch {torch.__version__}, glibc {platform.libc_ver()[1]}"
