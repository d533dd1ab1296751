"""Episode prefetching: background threads load the next episodes while the learner runs."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from time import perf_counter

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError

WORKERS = min(8, max(2, (os.cpu_count() or 2) // 2))  # threads; leaves the other cores to the learner


class Prefetcher:
    """Iterates over `source.episode(i)` for i in `indices`, in order, on `device`, at most `depth` of them in flight.

    Threads do not change the content of episodes. `workers=0` loads each episode on demand. An exception in a worker is
    raised at the position of its episode. `waited_seconds` is the total time that the consumer has waited.
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
        return self._prefetched() if self._workers else self._on_demand()

    def _on_demand(self) -> Iterator[Episode]:
        for index in self._indices:
            yield self._wait_and_copy(lambda index=index: self._load(index))

    def _prefetched(self) -> Iterator[Episode]:
        _renew_torch_threads()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="prefetch")
        try:
            indices = iter(self._indices)
            waiting = deque(pool.submit(self._load, index) for index in islice(indices, self._depth))
            while waiting:
                episode = self._wait_and_copy(waiting.popleft().result)
                waiting.extend(pool.submit(self._load, index) for index in islice(indices, 1))
                yield episode
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # do not wait for a worker that is loading an episode

    def _load(self, index: int) -> Episode:
        episode = self._source.episode(index)
        return episode.pin() if self._device.type == "cuda" else episode

    def _wait_and_copy(self, wait: Callable[[], Episode]) -> Episode:
        start = perf_counter()
        episode = wait()
        self.waited_seconds += perf_counter() - start
        # Copied in the consumer's thread, so that the copy is ordered on the consumer's CUDA stream.
        return episode.to(self._device)


def _renew_torch_threads() -> None:
    """Makes PyTorch's thread pool anew in a forked process, where two threads at once would fail (torch 2.13.0)."""
    torch.set_num_threads(torch.get_num_threads())


def prefetch(
    source: EpisodeSource,
    indices: Iterable[int],
    device: torch.device,
    workers: int = WORKERS,
    depth: int = WORKERS + 2,
) -> Iterator[Episode]:
    """The iterator of a `Prefetcher`; closing it cancels the episodes in flight."""
    return iter(Prefetcher(source, indices, device, workers, depth))
