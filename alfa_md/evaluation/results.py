"""Scores of a learner on the test episodes of every source, and the results file that stores them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import torch
from torch import Tensor

from alfa_md.data.prefetch import prefetch
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.experiment.out_of_memory import explain_out_of_memory
from alfa_md.learners.base import Learner
from alfa_md.metrics import mean_ci
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import read_json, write_json
from alfa_md.system.interruption import Interruption
from alfa_md.system.lock import exclusive_lock
from alfa_md.system.progress import CONSOLE, Progress

PORTION = 10  # episodes of each process between two exchanges of scores

Statistic = Callable[[Sequence[float]], float]  # of the scores of all episodes


def query_std(accuracies: Sequence[float]) -> float:
    """sqrt(p (1 - p)): the standard deviation of the 0/1 correctness of single queries, pooled over all episodes.

    A fraction; assumes equally many queries per episode. ALFA's published tables print it after "±", with a percent
    sign; it is NOT a confidence interval.
    """
    p = mean_ci(accuracies).mean
    return math.sqrt(p * (1 - p))


@torch.no_grad()
def score_episodes(
    learner: Learner,
    source: EpisodeSource,
    indices: Sequence[int],
    device: torch.device,
    group: ProcessGroup = SINGLE_PROCESS,
) -> Iterator[list[float]]:
    """Yields the learner's query scores on the episodes `indices` in order, a portion at a time, in evaluation mode.

    The episodes are sharded over the processes of `group`; every process gets all scores.
    """
    learner.eval()
    portions = [indices[i : i + PORTION * group.size] for i in range(0, len(indices), PORTION * group.size)]
    own = list(map(group.shard, portions))
    with closing(prefetch(source, chain.from_iterable(own), device)) as episodes:
        for portion in own:
            predictions = predict(learner, islice(episodes, len(portion)))
            yield group.all_gather([learner.objective.score(y, e.query_y).item() for e, y in predictions])


def predict(learner: Learner, episodes: Iterable[Episode]) -> Iterator[tuple[Episode, Tensor]]:
    """Yields episodes and the learner's predictions; all in one batch if the learner batches episodes."""
    parts = [list(episodes)] if learner.vectorized else ([episode] for episode in episodes)
    for batch in filter(None, parts):
        with explain_out_of_memory(learner, batch):
            predictions = learner.forward_episodes(batch) if learner.vectorized else [learner(batch[0])]
        yield from zip(batch, predictions, strict=True)


class Results:
    """The results file of one learner on one split: updated while episodes are scored, reused if its stamp agrees.

    Args:
      path: the results file, `results/<split>.json` of a run.
      stamp: everything that the scores depend on besides source and number of episodes. A file with another stamp is
        renamed to a numbered name, never overwritten.
      group: the processes that share the episodes; rank 0 writes.
      extra: statistics stored for every source in addition to mean and interval.
    """

    def __init__(
        self,
        path: Path,
        stamp: dict,
        group: ProcessGroup = SINGLE_PROCESS,
        extra: Mapping[str, Statistic] | None = None,
    ):
        self.path, self.stamp, self.group, self.extra = path, stamp, group, extra or {}
        self.sources: dict[str, dict] = {}
        self._read()
        self.sources = group.broadcast(self.sources)

    def measure(
        self,
        learner: Learner,
        source: EpisodeSource,
        num_episodes: int,
        device: torch.device,
        stop: Interruption | None = None,
    ) -> bool:
        """Scores the learner on the first `num_episodes` of a source, except those already in the file.

        Returns True if all episodes are scored, False if `stop` was requested before.
        """
        old = self.sources.get(source.name, {"data": source.stamp(), "scores": []})
        values = old["scores"] if old["data"] == source.stamp() else []
        values = self.group.broadcast(values)  # rank 0 may have read scores that another command has added
        missing = range(len(values), num_episodes)
        if not missing:
            return True
        with Progress(f"{self.path.stem} {source.name}", num_episodes, len(values)) as progress:
            for portion in score_episodes(learner, source, missing, device, self.group):
                values = values + portion
                self._write(source, values)
                for _ in portion:
                    progress.advance()
                if self.group.any(stop is not None and stop.requested):
                    break
        return len(values) == num_episodes

    def _read(self) -> bool:
        """Reads the sources from the file on disk; returns False, without effect, if it has another stamp."""
        old = read_json(self.path) if self.path.exists() else {"protocol": self.stamp, "sources": self.sources}
        if old["protocol"] != self.stamp:
            return False
        self.sources = old["sources"]
        return True

    def _write(self, source: EpisodeSource, values: list[float]) -> None:
        """Updates one source in the file, to which other commands may be writing other sources."""
        result = mean_ci(values)
        record = {"mean": result.mean, "ci95": result.ci95, "episodes": result.n}
        record |= {name: statistic(values) for name, statistic in self.extra.items()}
        record |= {"data": source.stamp(), "scores": values}
        if not self.group.is_first:
            self.sources[source.name] = record
            return
        self.path.parent.mkdir(exist_ok=True)  # copies of runs lose empty folders
        with exclusive_lock(self.path.with_name(f".{self.path.name}.lock")):
            if not self._read():
                self._set_aside()
            self.sources[source.name] = record
            write_json(self.path, {"protocol": self.stamp, "sources": self.sources})

    def _set_aside(self) -> None:
        number = next(n for n in range(1, 10**6) if not self._aside(n).exists())
        self.path.rename(self._aside(number))
        CONSOLE.print(f"{self.path} was measured under other conditions; it is kept as {self._aside(number).name}")

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}.json")
