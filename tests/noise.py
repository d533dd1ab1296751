"""In-memory sources of noise episodes, and short training runs on them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import gin
import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.evaluation.scores import score_episodes
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.pretraining import SCRATCH
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.training.loop import train
from alfa_md.training.schedules import Schedule, flat, step_decay
from alfa_md.training.step import parameter_groups
from tests.episodes import random_episode, small_learner

CPU = torch.device("cpu")
FACTS = {"name": "noise", "seed": 0, "data_root": "memory", "data_kind": "records", "pretrained": SCRATCH}
HALVED = partial(step_decay, decay_every=4, decay_rate=0.5)


class NoiseSource(EpisodeSource):
    """Float32 images of noise around class patterns; `change(index, episode)` may modify episodes."""

    def __init__(
        self,
        name: str = "noise",
        split: str = "test",
        seed: int = 0,
        change: Callable[[int, Episode], Episode] = lambda index, episode: episode,
    ):
        self.name, self.split, self.seed, self.change = name, split, seed, change

    def episode(self, index: int) -> Episode:
        drawn = random_episode(seed=10_000 * (self.split == "train") + 100 * self.seed + index, dtype=torch.float32)
        named = drawn._replace(source=self.name, split=self.split, seed=self.seed, index=index)
        return self.change(index, named)

    def stamp(self) -> dict:
        return {"spec": f"spec of {self.name}", "image_size": 12}


def noise_learner(**options) -> Learner:
    """fo-Proto-MAML + ALFA on a two-layer network in float32, with reproducible weights."""
    return small_learner(**options).float()


def noise_experiment(learner: Learner | None = None, change=lambda index, episode: episode) -> Experiment:
    """An experiment on noise; `change` modifies training episodes only."""

    def reader(root, name, split, sampling, seed):
        return NoiseSource(name, split, seed, *([change] if split == "train" else []))

    return Experiment(learner or noise_learner(), reader, ("noise",), ("noise",), ("noise",))


def train_on_noise(folder: Path, experiment: Experiment, facts: dict = FACTS, **options) -> TrainState:
    """Trains for six updates in `folder`, with validation, checkpoint and log after every second."""
    gin.clear_config()  # whatever other tests have configured
    short = {"num_updates": 6, "learning_rate": 0.01, "weight_decay": 1e-3, "schedule": HALVED}
    often = {"validate_every": 2, "num_validation_episodes": 2, "checkpoint_every": 2, "log_every": 1}
    return train(experiment, RunDirectory(folder), Path("memory"), facts, CPU, **(short | often | options))


def fresh_state(learner: Learner, weight_decay: float = 0.0, schedule: Schedule = flat) -> TrainState:
    """The initial state of a training run, with Adam at rate 0.01."""
    optimizer = torch.optim.Adam(parameter_groups(learner, weight_decay), lr=0.01)
    return TrainState(learner, optimizer, schedule(optimizer, 1000))


def accuracies(learner: Learner, source: EpisodeSource, num_episodes: int, device: torch.device = CPU) -> list[float]:
    """The scores of the first episodes of a source as one list."""
    return [value for portion in score_episodes(learner, source, range(num_episodes), device) for value in portion]


def power_cut(at):
    """A change of episodes that aborts the run at episode `at`."""

    def change(index, episode):
        if index == at:
            raise RuntimeError("power cut")
        return episode

    return change
