"""Meta-test: a learner's accuracy on the episodes of every source, kept with what they were measured under."""

from pathlib import Path

import torch

from alfa_md.data.prefetch import prefetch
from alfa_md.episode import EpisodeSource
from alfa_md.learners.base import Learner
from alfa_md.lock import exclusive
from alfa_md.metrics import mean_ci
from alfa_md.progress import CONSOLE, track
from alfa_md.run_directory import read_json, write_json


@torch.no_grad()
def accuracies(
    learner: Learner, source: EpisodeSource, num_episodes: int, device: torch.device, title: str = "", first: int = 0
) -> list[float]:
    """The learner's score on the query set of episodes `first` to num_episodes - 1, in evaluation mode."""
    learner.eval()
    episodes = prefetch(source, range(first, num_episodes), device)
    if title:
        episodes = track(episodes, title, num_episodes - first)
    return [learner.objective.score(learner(episode), episode.query_y).item() for episode in episodes]


class Results:
    """The results file of one learner on one split: written after every source, reused where nothing has changed.

    Args:
      path: the results file, `results/<split>.json` of a run.
      stamp: what the numbers depend on besides source and number of episodes. A file with another stamp is set
        aside under a numbered name, never overwritten.
    """

    def __init__(self, path: Path, stamp: dict):
        self.path, self.stamp = path, stamp
        self.sources: dict[str, dict] = {}
        self._read()

    def measure(self, learner: Learner, source: EpisodeSource, num_episodes: int, device: torch.device) -> None:
        """Evaluates the learner on a source; episodes of the same data that are already here are not run again."""
        old = self.sources.get(source.name, {"data": source.stamp(), "accuracies": []})
        values = old["accuracies"] if old["data"] == source.stamp() else []
        if len(values) >= num_episodes:
            return
        title = f"{self.path.stem} {source.name}"
        values = values + accuracies(learner, source, num_episodes, device, title, first=len(values))
        result = mean_ci(values)
        record = {"mean": result.mean, "ci95": result.ci95, "episodes": result.n}
        self._keep(source.name, record | {"data": source.stamp(), "accuracies": values})

    def _read(self) -> bool:
        """Takes over what the file on disk holds; False, and nothing taken, where it has another stamp."""
        old = read_json(self.path) if self.path.exists() else {"protocol": self.stamp, "sources": self.sources}
        if old["protocol"] != self.stamp:
            return False
        self.sources = old["sources"]
        return True

    def _keep(self, name: str, record: dict) -> None:
        """Adds a source to the file, to which other processes may be adding theirs."""
        with exclusive(self.path.with_name(f".{self.path.name}.lock")):
            if not self._read():
                self._set_aside()
            self.sources[name] = record
            write_json(self.path, {"protocol": self.stamp, "sources": self.sources})

    def _set_aside(self) -> None:
        number = next(n for n in range(1, 10**6) if not self._aside(n).exists())
        self.path.rename(self._aside(number))
        CONSOLE.print(f"{self.path} was measured under other conditions; it is kept as {self._aside(number).name}")

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}.json")
