"""Meta-test: a learner's accuracy on the episodes of every source, kept with what they were measured under."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from alfa_md.data.prefetch import prefetch
from alfa_md.data.roots import RecordsRoot
from alfa_md.data.spec import load_spec
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.experiment import Experiment
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


class Evaluation:
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

    def run(
        self,
        learner: Learner,
        experiment: Experiment,
        root: RecordsRoot,
        names: Sequence[str],
        split: str,
        num_episodes: int,
        seed: int,
        device: torch.device,
    ) -> list[str]:
        """Evaluates the sources in turn; returns the names of those whose records are missing.

        A source that has no such split is skipped by name; one that is finished is not run again.
        """
        missing = []
        for name in names:
            if not (root.path / name).is_dir():
                CONSOLE.print(f"{name}: missing under {root.path}")
                missing.append(name)
            elif not len(load_spec(root.path / name).classes(split)):
                CONSOLE.print(f"{name}: has no {split} split, skipped")
            elif self.sources.get(name, {}).get("episodes") != num_episodes:
                source = experiment.evaluation(root.path, name, split, seed)
                self._keep(source, accuracies(learner, source, num_episodes, device, f"{self.path.stem} {name}"))
        return missing

    def _keep(self, source: EpisodeSource, values: list[float]) -> None:
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


def protocol_stamp(learner: Learner, experiment: Experiment, root: RecordsRoot, split: str, seed: int) -> dict:
    """What every result depends on, whatever the source, as plain values."""
    return {
        "split": split,
        "seed": seed,
        "sampling": asdict(experiment.sampling),
        "data_root": str(root.path),
        "data_kind": root.kind,
    } | learner.stamp()


def chosen_sources(text: str, experiment: Experiment, known: Callable[[str], bool]) -> tuple[str, ...]:
    """The sources named by `all` or by a comma-separated list. Raises UserError for a name that nothing knows."""
    if text == "all":
        return experiment.test_sources
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in experiment.test_sources and not known(name):
            raise UserError(f"unknown source {name}; there are: {', '.join(experiment.test_sources)}")
    return names
