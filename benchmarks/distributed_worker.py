"""A process of torchrun that updates a learner together with the others and without them: for `benchmarks.distributed`.

torchrun --standalone --nproc_per_node=2 -m benchmarks.distributed_worker ROUNDS WORDS
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.data.sampling import EpisodeSampler, Sampling
from alfa_md.data.spec import DatasetSpec
from alfa_md.episode import Episode
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.system.allocator import keep_freed_pages
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup, local_rank, process_group
from alfa_md.training.step import outer_step
from benchmarks.against import chosen
from benchmarks.cases import CONV4, Case

PROCESSES = 2
MESSAGES = 200  # of which the latency is the median


class Updates(NamedTuple):
    """A number of updates, each of so many episodes of every process."""

    learner: Case
    variable: bool  # way and shot by the official sampler
    number: int
    episodes: int

    def drawn(self, group: ProcessGroup) -> list[list[Episode]]:
        """This process's episodes of every update."""
        total = self.number * self.episodes * group.size
        cases = [self.learner] * total if not self.variable else list(sampled(self.learner, total))
        own = group.shard([case.episode(seed) for seed, case in enumerate(cases)])
        return [own[k * self.episodes : (k + 1) * self.episodes] for k in range(self.number)]


SMALL = Case(partial(FourLayerConvNet, num_filters=32), 128, 32, shots=1, queries=10, steps=3, prototypes=True)
VARIABLE = "four layers, 32 px, variable way and shot, 3 steps"
CASES = {
    "4-CONV, 84 px, 5-way 1-shot, 5 steps": Updates(CONV4._replace(shots=1), variable=False, number=4, episodes=1),
    f"{VARIABLE}, one episode a process": Updates(SMALL, variable=True, number=8, episodes=1),
    f"{VARIABLE}, four episodes a process": Updates(SMALL, variable=True, number=2, episodes=4),
}


def sampled(case: Case, number: int) -> Iterator[Case]:
    """The case with ways and shots of training episodes at the sizes of `gin/quickstart.gin`."""
    names, splits = tuple(map(str, range(60))), {"train": 60, "valid": 0, "test": 0}
    sampling = Sampling(max_ways_upper_bound=10, max_support_set_size=60)
    sampler = EpisodeSampler(DatasetSpec("flat", names, (100,) * 60, splits), "train", sampling)
    rng = np.random.RandomState(0)
    for _ in range(number):
        draws = sampler.sample(rng)
        yield case._replace(way=len(draws), shots=tuple(draw.shots for draw in draws), queries=draws[0].queries)


def episodes_per_second(updates: Updates, group: ProcessGroup, rounds: int) -> list[tuple[float, float, float]]:
    """Rates of all processes together, of all independent of each other, and of the first alone, in every round."""
    learner = updates.learner.learner(first_order=True, plain=False).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(learner.parameters(), lr=0.0)
    state = TrainState(learner, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 10**6))
    own, number = updates.drawn(group), updates.number * updates.episodes

    def rate(among: ProcessGroup, active: bool) -> float:
        """Of this process, from when all are ready."""
        group.all_reduce([0.0])
        start = time.perf_counter()
        for episodes in own if active else ():
            outer_step(state, episodes, 10.0, among)
        return number / (time.perf_counter() - start) if active else 0.0

    found = []
    for _ in range(1 + rounds):
        together = group.size * min(group.all_gather([rate(group, True)]))
        independent, alone = (
            sum(group.all_gather([rate(SINGLE_PROCESS, active)])) for active in (True, group.is_first)
        )
        found.append((together, independent, alone))
    return found[1:]


def latency(group: ProcessGroup) -> float:
    """Median seconds of a short message."""
    ends = [time.perf_counter()]
    for _ in range(MESSAGES):
        group.all_reduce([0.0])
        ends.append(time.perf_counter())
    return median(after - before for before, after in pairwise(ends))


def main() -> None:
    rounds, words = int(sys.argv[1]), "".join(sys.argv[2:])
    torch.set_num_threads(1)
    keep_freed_pages()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[local_rank()]})
    with process_group() as group:
        found = {"latency": latency(group)}
        for name, updates in chosen(CASES, words, "--cases").items():
            found[name] = episodes_per_second(updates, group, rounds)
        if group.is_first:
            print(json.dumps(found))


if __name__ == "__main__":
    main()
