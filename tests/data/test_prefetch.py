import os
import threading
import time
from itertools import count, islice

import pytest
import torch

from alfa_md.data.prefetch import Prefetcher, prefetch
from alfa_md.episode import Episode
from alfa_md.errors import UserError

CPU = torch.device("cpu")


class Numbers:
    """Episode k holds the number k; `delay(k)` seconds in the making, and `broken` ones raise."""

    name, split = "numbers", "train"

    def __init__(self, delay=lambda index: 0.0, broken=()):
        self.delay, self.broken = delay, broken
        self.asked, self.threads = [], set()

    def episode(self, index: int) -> Episode:
        self.asked.append(index)
        self.threads.add(threading.get_ident())
        time.sleep(self.delay(index))
        if index in self.broken:
            raise UserError(f"episode {index} is broken")
        x, y = torch.full((2, 3), float(index)), torch.zeros(2, dtype=torch.int64)
        return Episode(x, y, x, y, 1, self.name, self.split, 0, index)


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("depth", [1, 4])
def test_order_and_content(workers, depth):
    uneven = Numbers(delay=lambda index: 0.01 * (index % 3 == 0))
    indices = [5, 3, 3, 8, 0, 9, 1]
    episodes = list(prefetch(uneven, indices, CPU, workers, depth))
    assert [episode.index for episode in episodes] == indices
    assert [float(episode.query_x[0, 0]) for episode in episodes] == indices


def test_never_more_than_depth_ahead():
    source = Numbers()
    episodes = prefetch(source, count(), CPU, workers=2, depth=3)
    for taken in range(1, 6):
        next(episodes)
        wait_until(lambda enough=taken + 3: len(source.asked) == enough)
        time.sleep(0.02)
        assert len(source.asked) == taken + 3
    episodes.close()


def test_without_workers_nothing_is_prefetched():
    source = Numbers()
    assert [e.index for e in islice(prefetch(source, count(), CPU, workers=0), 2)] == [0, 1]
    assert source.asked == [0, 1]
    assert source.threads == {threading.get_ident()}


def test_workers_are_other_threads():
    source = Numbers(delay=lambda index: 0.02)
    list(prefetch(source, range(6), CPU, workers=2))
    assert len(source.threads) == 2 and threading.get_ident() not in source.threads


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_are_raised_in_order(workers):
    slow_before_the_error = Numbers(delay=lambda index: 0.05 * (index == 1), broken={2, 3})
    episodes = prefetch(slow_before_the_error, range(6), CPU, workers)
    assert [next(episodes).index, next(episodes).index] == [0, 1]
    with pytest.raises(UserError, match="episode 2 is broken"):
        next(episodes)
    with pytest.raises(StopIteration):
        next(episodes)


def test_close_cancels_and_does_not_hang():
    release = threading.Event()
    stuck = Numbers(delay=lambda index: float(index > 0 and not release.wait(30)))
    episodes = prefetch(stuck, count(), CPU, workers=1, depth=4)
    next(episodes)
    wait_until(lambda: stuck.asked == [0, 1])
    start = time.monotonic()
    episodes.close()
    assert time.monotonic() - start < 5
    release.set()
    time.sleep(0.05)
    assert stuck.asked == [0, 1]  # 2, 3 and 4 were waiting and are never begun


def test_unused_iterator_starts_no_work():
    source = Numbers()
    prefetch(source, count(), CPU).close()
    assert source.asked == []


@pytest.mark.parametrize("workers", [0, 1])
def test_waited_seconds(workers):
    slow = Prefetcher(Numbers(delay=lambda index: 0.03), range(4), CPU, workers)
    assert len(list(slow)) == 4
    assert slow.waited_seconds > 0.1


def test_no_wait_when_the_consumer_is_slow():
    fast = Prefetcher(Numbers(delay=lambda index: 0.05), range(8), CPU, workers=2)
    for _ in fast:
        time.sleep(0.1)
    assert 0 < fast.waited_seconds < 0.2  # of 0.4: only the first episode is waited for


@pytest.mark.parametrize("arguments", [{"workers": -1}, {"depth": 0}])
def test_bad_arguments(arguments):
    with pytest.raises(UserError, match="prefetch: workers=.* depth="):
        prefetch(Numbers(), range(3), CPU, **arguments)


def test_pinned_only_on_the_way_to_a_gpu(monkeypatch):
    pinned, moved = [], []
    monkeypatch.setattr(Episode, "pin", lambda self: pinned.append(self.index) or self)
    monkeypatch.setattr(Episode, "to", lambda self, device: moved.append((self.index, str(device))) or self)
    list(prefetch(Numbers(), range(2), CPU))
    assert pinned == []
    list(prefetch(Numbers(), range(2), torch.device("cuda"), workers=1))
    assert pinned == [0, 1]
    assert moved == [(0, "cpu"), (1, "cpu"), (0, "cuda"), (1, "cuda")]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_values_on_a_gpu():
    for index, episode in enumerate(prefetch(Numbers(), range(20), torch.device("cuda"))):
        assert episode.support_x.device.type == "cuda"
        assert float(episode.support_x.sum()) == 6.0 * index


class Summed(Numbers):
    """Episodes whose making uses a parallel operation of PyTorch, in eight threads at the same time."""

    def __init__(self):
        super().__init__()
        self.together = threading.Barrier(8)

    def episode(self, index: int) -> Episode:
        self.together.wait(10)
        torch.arange(3).repeat_interleave(torch.tensor([1, 2, 3]))
        return super().episode(index)


def prefetches_in_a_fork() -> bool:
    pid = os.fork()
    if not pid:
        try:
            list(prefetch(Summed(), range(8), CPU, workers=8, depth=8))
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def used_threads():
    """PyTorch's thread pool made and used by this process."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.ones(2**20).sum()
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_the_threads_of_a_forked_process_can_use_pytorch(used_threads):
    assert all(prefetches_in_a_fork() for _ in range(40))
