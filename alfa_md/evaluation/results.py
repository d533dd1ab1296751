"""The results file of a learner: every episode's score on every source, extended and never replaced by less."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.evaluation.episodes_fingerprint import KEY, episodes_fingerprint, is_of_these_episodes
from alfa_md.evaluation.results_file import read_results
from alfa_md.evaluation.scores import Score, describe_diverged, diverged_episodes, score_episodes
from alfa_md.experiment.data_record import data_stamp, same_data
from alfa_md.learners.base import Learner
from alfa_md.metrics import ACCURACY, Unit, finite_or_none
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import atomic_write, write_json
from alfa_md.system.interruption import Interruption
from alfa_md.system.lock import exclusive_lock
from alfa_md.system.progress import CONSOLE, Progress

Statistic = Callable[[Sequence[Score]], float]  # of the scores of all episodes


def query_std(accuracies: Sequence[Score]) -> float:
    """sqrt(p (1 - p)): the standard deviation of the 0/1 correctness of single queries, pooled over all episodes.

    A fraction; assumes equally many queries per episode. ALFA's published tables print it after "±", with a percent
    sign; it is NOT a confidence interval.
    """
    p = ACCURACY.mean(accuracies).mean
    return math.sqrt(p * (1 - p))


class Results:
    """The results file of one learner on one split: updated while episodes are scored, reused if its stamp agrees.

    Args:
      path: the results file, `results/<split>.json` of a run.
      stamp: everything that the scores depend on besides source and number of episodes.
      group: the processes that share the episodes; rank 0 writes.
      extra: statistics stored for every source in addition to mean and interval.

    Other evaluations may write the same file at any time. A file with another stamp, or with other data or episodes of
    a source, is kept under a numbered name; more episodes of a source are never replaced by fewer.
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
        self.refresh()

    def refresh(self) -> None:
        """Takes over what the file holds by now, if its stamp agrees."""
        content = self._read()
        if same_conditions(content["protocol"], self.stamp):
            self.sources = content["sources"]
        self.sources = self.group.broadcast(self.sources)

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
        self.refresh()
        values = self._known(source)
        missing = range(len(values), num_episodes)
        if missing:
            with Progress(f"{self.path.stem} {source.name}", num_episodes, len(values)) as progress:
                for portion in score_episodes(learner, source, missing, device, self.group):
                    values = values + portion
                    self._write(source, values, learner.objective.unit)
                    for _ in portion:
                        progress.advance()
                    enough = len(self._known(source)) >= num_episodes  # another evaluation may have been faster
                    if self.group.any(enough or (stop is not None and stop.requested)):
                        break
        values = self.group.broadcast(self._known(source))
        if len(values) > num_episodes:
            CONSOLE.print(f"{self.path.stem} {source.name}: {len(values)} episodes are stored, and all of them count")
        if diverged_episodes(values):
            CONSOLE.print(describe_diverged(f"{self.path.stem} {source.name}", values, learner.objective.unit))
        return len(values) >= num_episodes

    def _known(self, source: EpisodeSource) -> list[Score]:
        """The scores of a source that are stored, if they are of its data and episodes."""
        record = self.sources.get(source.name)
        same = record and same_data(record["data"], data_stamp(source)) and is_of_these_episodes(record, source)
        return record["scores"] if same else []

    def _read(self) -> dict:
        """The content of the file, or of one that does not exist yet. Raises UserError if it is damaged."""
        return read_results(self.path) if self.path.exists() else {"protocol": self.stamp, "sources": self.sources}

    def _write(self, source: EpisodeSource, values: list[Score], unit: Unit) -> None:
        """Updates one source in the file unless the file has as many episodes of it."""
        record = self._record(source, values, unit)
        if not self.group.is_first:
            self.sources[source.name] = record
            return
        self.path.parent.mkdir(exist_ok=True)  # copies of runs lose empty folders
        with exclusive_lock(self.path.with_name(f".{self.path.name}.lock")):
            content = self._read()
            if same_conditions(content["protocol"], self.stamp):
                self.sources = content["sources"]
                if len(self._known(source)) >= len(values):
                    return
                if not self._known(source) and source.name in self.sources:
                    same = same_data(self.sources[source.name]["data"], data_stamp(source))
                    self._keep_aside(content, f"has {source.name} of other {'episodes' if same else 'data'}")
            else:
                self._keep_aside(content, "was measured under other conditions")
            self.sources[source.name] = record
            write_json(self.path, {"protocol": self.stamp, "sources": self.sources})

    def _record(self, source: EpisodeSource, values: list[Score], unit: Unit) -> dict:
        result, found = unit.mean(values), diverged_episodes(values)
        mean, ci95 = map(finite_or_none, (result.mean, result.ci95))
        record = {"mean": mean, "ci95": ci95, "episodes": result.n} | ({"diverged": found} if found else {})
        record |= {name: statistic(values) for name, statistic in self.extra.items()}
        fingerprint = episodes_fingerprint(source, len(values))
        record |= {KEY: fingerprint} if fingerprint else {}
        return record | {"data": data_stamp(source), "scores": values}

    def _keep_aside(self, content: dict, reason: str) -> None:
        """Copies the file to a numbered name: a new one, or that of an earlier state of the same results."""
        number = next(n for n in range(1, 10**6) if self._may_replace(n, content))
        known = self._aside(number).exists()
        with atomic_write(self._aside(number)) as file:
            file.write(self.path.read_bytes())
        if not known:
            CONSOLE.print(f"{self.path} {reason}; it is kept as {self._aside(number).name}")

    def _may_replace(self, number: int, content: dict) -> bool:
        """True if there is no file of this number, or one whose results are a part of `content`."""
        if not self._aside(number).exists():
            return True
        try:
            earlier = read_results(self._aside(number))
        except UserError:
            return False
        return same_conditions(earlier["protocol"], content["protocol"]) and all(
            is_part(record, content["sources"].get(name)) for name, record in earlier["sources"].items()
        )

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}.json")


def same_conditions(a: dict, b: dict) -> bool:
    """True if two stamps agree but for the place of the data, which may be moved."""
    return all(a.get(key) == b.get(key) for key in (a.keys() | b.keys()) - {"data_root"})


def is_part(record: dict, of: dict | None) -> bool:
    """True if the record of a source holds nothing but the first episodes of another."""
    number = record["episodes"]
    return of is not None and same_data(record["data"], of["data"]) and record["scores"] == of["scores"][:number]
