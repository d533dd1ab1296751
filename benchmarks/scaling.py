"""Efficiency of data-parallel training on eight GPUs, computed from counted messages and from measured times of one."""

import re
from pathlib import Path

import numpy as np

from alfa_md.data.sampling import ClassDraw, EpisodeSampler, Sampling
from alfa_md.data.spec import DatasetSpec
from alfa_md.system.distributed import ProcessGroup
from benchmarks.cases import CASES, FAST
from benchmarks.communication import update_messages

PAGE = Path(__file__).parent / "README.md"
PROCESSES = 8
LINKS = {"NVLink": 200e9, "100 Gbit/s": 10e9}  # bytes a second and direction that reach a process; assumed
NUM_UPDATES = 500  # drawn
STEPS = 6  # inner steps of fo-Proto-MAML on ImageNet


def efficiency_table(group: ProcessGroup, latency: float) -> str:
    """Share of the time of an update in which no process communicates; `latency` are seconds of a short message."""
    title = f"## Efficiency on {PROCESSES} GPUs with episodes of equal size, computed\n"
    links = [column for name in LINKS for column in (f"{name}: messages, ms", "efficiency")]
    lines = [title, f"| case | seconds on one GPU | gradients, MB | {' | '.join(links)} |", "|---" * 7 + "|"]
    for name, seconds in gpu_seconds(PAGE.read_text("utf-8")).items():
        found = update_messages(CASES[name].learner(first_order=True, plain=False), group)
        cells = [name, f"{seconds:#.3g}", f"{max(found) / 1e6:.3g}"]
        for rate in LINKS.values():
            spent = message_seconds(found, rate, latency)
            cells += [f"{1e3 * spent:#.3g}", f"{seconds / (seconds + spent):.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def message_seconds(messages: list[int], rate: float, latency: float) -> float:
    """Seconds of the all-reduces of an update: the gradients by a ring, the short ones by a binary tree."""
    ring = 2 * (PROCESSES - 1) / PROCESSES * max(messages) / rate
    return ring + (len(messages) - 1) * np.log2(PROCESSES) * latency


def gpu_seconds(page: str) -> dict[str, float]:
    """Seconds of a first-order task in this package's plain form on a GPU, by case, as the page has measured them."""
    chapter = page.partition("\n# Learning on a GPU\n")[2].partition("\n# ")[0]
    sections = (section.partition("\n") for section in chapter.split("\n## ")[1:])
    found = {name: re.search(rf"\| first order \| {FAST} \| [\d.]+ \| ([\d.]+) \|", rows) for name, _, rows in sections}
    return {name: float(row[1]) for name, row in found.items() if row and name in CASES}


def waiting_table() -> str:
    """Efficiency by the different sizes of Meta-Dataset's training episodes alone, without messages."""
    title = f"## Efficiency on {PROCESSES} GPUs with the official sampler's episodes, messages apart, computed\n"
    lines = [title, "| episodes a process and update | efficiency |", "|---|---|"]
    sizes = episode_sizes(NUM_UPDATES * PROCESSES)
    for number in (1, 2, 4, 8):
        work = sizes[: len(sizes) // (number * PROCESSES) * number * PROCESSES].reshape(-1, PROCESSES, number).sum(2)
        lines.append(f"| {number} | {work.mean() / work.max(1).mean():.2f} |")
    return "\n".join(lines) + "\n"


def episode_sizes(number: int) -> np.ndarray:
    """Images that pass the backbone in each of so many training episodes of 712 classes of 1300 images, [number]."""
    names, splits = tuple(map(str, range(712))), {"train": 712, "valid": 0, "test": 0}
    sampler = EpisodeSampler(DatasetSpec("flat", names, (1300,) * 712, splits), "train", Sampling())
    rng = np.random.RandomState(0)
    return np.array([passed_images(sampler.sample(rng)) for _ in range(number)])


def passed_images(draws: list[ClassDraw]) -> int:
    return STEPS * sum(draw.shots for draw in draws) + sum(draw.queries for draw in draws)
