"""Meta-test: a learner's accuracy on the episodes of every source, kept with what they were measured under."""

import json
from pathlib import Path

import torch

from alfa_md.data.prefetch import prefetch
from alfa_md.episode import EpisodeSource
from alfa_md.learners.base import Learner
from alfa_md.metrics import mean_ci
from alfa_md.progress import CONSOLE, track
from alfa_md.run_directory import write_json


@torch.no_grad()
def accuracies(
    learner: Learner, source: EpisodeSource, num_episodes: int, device: torch.device, title: str = ""
) -> list[float]:
    """The learner's score on the query set of episodes 0 to num_episodes - 1, in evaluation mode."""
    learner.eval()
    episodes = prefetch(source, range(num_episodes), device)
    if title:
        episodes = track(episodes, title, num_episodes)
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
        if path.exists():
            self._reuse(json.loads(path.read_text()))

    def measure(self, learner: Learner, source: EpisodeSource, num_episodes: int, device: torch.device) -> None:
        """Evaluates the learner on a source, unless as many episodes of the same data are already here."""
        old = self.sources.get(source.name, {})
        if old.get("episodes") == num_episodes and old["data"] == source.stamp():
            return
        values = accuracies(learner, source, num_episodes, device, f"{self.path.stem} {source.name}")
        result = mean_ci(values)
        record = {"mean": result.mean, "ci95": result.ci95, "episodes": result.n}
        self.sources[source.name] = record | {"data": source.stamp(), "accuracies": values}
        write_json(self.path, {"protocol": self.stamp, "sources": self.sources})

    def _reuse(self, old: dict) -> None:
        if old["protocol"] == self.stamp:
            self.sources = old["sources"]
            return
        number = next(n for n in range(1, 10**6) if not self._aside(n).exists())
        self.path.rename(self._aside(number))
        CONSOLE.print(f"{self.path} was measured under other conditions; it is kept as {self._aside(number).name}")

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}.json")
