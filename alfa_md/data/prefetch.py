"""Episodes made ready in the background, in order, while the learner works."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from time import perf_counter

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError

WORKERS = min(8, max(2, (os.cpu_count() or 2) // 2))  # threads; the other cores are the learner's


class Prefetcher:
    """Iterates over `source.episode(i)` for i in `indices`, in order, on `device`; at most `depth` are under way.

    Threads change when an episode is made, never what is in it. `workers=0` makes each one when it is asked for.
    An error of a worker is raised where its episode would have come. `waited_seconds` adds up what the consumer waited.
    """

    def __init__(
        self,
        source: EpisodeSource,
        indices: Iterable[int],
        device: torch.device,
        workers: int = WORKERS,
        depth: int = WORKERS + 2,
    ):
        if workers < 0 or depth < 1:
            raise UserError(f"prefetch: workers={workers} must be at least 0 and depth={depth} at least 1")
        self._source = source
        self._indices = indices
        self._device = torch.device(device)
        self._workers = workers
        self._depth = depth
        self.waited_seconds = 0.0

    def __iter__(self) -> Iterator[Episode]:
        return self._ahead() if self._workers else self._on_demand()

    def _on_demand(self) -> Iterator[Episode]:
        for index in self._indices:
            yield self._arrived(lambda index=index: self._load(index))

    def _ahead(self) -> Iterator[Episode]:
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="prefetch")
        try:
            indices = iter(self._indices)
            waiting = deque(pool.submit(self._load, index) for index in islice(indices, self._depth))
            while waiting:
                episode = self._arrived(waiting.popleft().result)
                waiting.extend(pool.submit(self._load, index) for index in islice(indices, 1))
                yield episode
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # a worker in mid-episode must not hold up the consumer

    def _load(self, index: int) -> Episode:
        episode = self._source.episode(index)
        return episode.pin() if self._device.type == "cuda" else episode

    def _arrived(self, wait: Callable[[], Episode]) -> Episode:
        start = perf_counter()
        episode = wait()
        self.waited_seconds += perf_counter() - start
        # Copied from the consumer's thread: the copy then runs in the order of the consumer's own CUDA stream.
        return episode.to(self._device)


def prefetch(
    source: EpisodeSource,
    indices: Iterable[int],
    device: torch.device,
    workers: int = WORKERS,
    depth: int = WORKERS + 2,
) -> Iterator[Episode]:
    """The iterator of a `Prefetcher`; closing it abandons the episodes under way."""
    return iter(Prefetcher(source, indices, device, workers, depth))
