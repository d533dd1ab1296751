"""Scoring of a learner on several sources, with a stop on request."""

from collections.abc import Sequence

import torch

from alfa_md.episode import EpisodeSource
from alfa_md.evaluation.results import Results
from alfa_md.learners.base import Learner
from alfa_md.system.interruption import Interruption
from alfa_md.system.progress import CONSOLE


def measure_sources(
    results: Results, learner: Learner, chosen: Sequence[EpisodeSource], num_episodes: int, device: torch.device
) -> None:
    """Scores a learner on all sources. Raises SystemExit if a stop is requested; the scores so far are stored."""
    learner = learner.to(device, memory_format=torch.channels_last)
    with Interruption() as stop:
        for source in chosen:
            if not results.measure(learner, source, num_episodes, device, stop):
                CONSOLE.print(f"stopped within {source.name}; the same command goes on from there")
                raise SystemExit(stop.exit_code)
