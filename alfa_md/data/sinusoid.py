"""Few-shot regression of sine curves, y = A sin(w x + phi), as in ALFA (Baik et al., 2020) after MAML.

A, w and phi are uniform in [0.1, 5], [0.8, 1.2] and [0, pi]; x in [-5, 5]. Nothing is read from disk.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import gin
import numpy as np
import torch

from alfa_md.data.sampling import stable_rng
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import MissingSplit, UserError, require_at_least

AMPLITUDES, FREQUENCIES, PHASES = (0.1, 5.0), (0.8, 1.2), (0.0, math.pi)
INTERVAL = (-5.0, 5.0)
GRID = 100  # query points of a validation or test curve
SPLITS = ("train", "valid", "test")


@gin.configurable
@dataclass(frozen=True)
class Points:
    """How many points of a curve an episode shows: support points, and query points in training."""

    shots: int = 10
    queries: int = 10

    def __post_init__(self) -> None:
        require_at_least(1, "Points", shots=self.shots, queries=self.queries)


class Curve(NamedTuple):
    """y = amplitude * sin(frequency * x + phase)."""

    amplitude: float
    frequency: float
    phase: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.amplitude * np.sin(self.frequency * x + self.phase)


class Sinusoids(EpisodeSource):
    """Episode k is a curve of its own: support and query points [N, 1] -> values [N, 1], way 1.

    Support points are drawn uniformly, and so are the query points of training; validation and test ask for 100 points
    evenly spaced over the interval, ends included. Fewer shots are the first of more: the same curve and points.
    Raises UserError for an unknown split.
    """

    def __init__(self, name: str, split: str, points: Points, seed: int):
        if split not in SPLITS:
            raise MissingSplit(f"{name} has no split {split!r}; there are {', '.join(SPLITS)}")
        self.name, self.split = name, split
        self._points, self._seed = points, seed

    def curve(self, index: int) -> Curve:
        """The curve of episode `index`."""
        return _curve(self._rng(index))

    def episode(self, index: int) -> Episode:
        """Episode `index`; all tensors are float32."""
        rng = self._rng(index)
        curve = _curve(rng)
        support_x = rng.uniform(*INTERVAL, self._points.shots)
        if self.split == "train":
            query_x = rng.uniform(*INTERVAL, self._points.queries)
        else:
            query_x = np.linspace(*INTERVAL, GRID)
        return Episode(
            support_x=_column(support_x),
            support_y=_column(curve(support_x)),
            query_x=_column(query_x),
            query_y=_column(curve(query_x)),
            way=1,
            source=self.name,
            split=self.split,
            seed=self._seed,
            index=index,
        )

    def stamp(self) -> dict:
        """What is drawn, and where the query points lie."""
        return {
            "curve": "amplitude * sin(frequency * x + phase)",
            "amplitude": list(AMPLITUDES),
            "frequency": list(FREQUENCIES),
            "phase": list(PHASES),
            "x": list(INTERVAL),
            "query": "uniform" if self.split == "train" else f"{GRID} evenly spaced points",
        }

    def _rng(self, index: int) -> np.random.RandomState:
        return stable_rng(self._seed, self.name, self.split, index)


@gin.configurable
def sinusoids(root: Path, name: str, split: str, sampling: Points, seed: int) -> Sinusoids:
    """The curves that `seed` and `name` draw; `root` is not looked at. Raises UserError for a sampling of images."""
    if not isinstance(sampling, Points):
        raise UserError(f"sinusoids are sampled by Points, not {type(sampling).__name__}; set sampling = @Points()")
    return Sinusoids(name, split, sampling, seed)


def _curve(rng: np.random.RandomState) -> Curve:
    return Curve(*(rng.uniform(*bounds) for bounds in (AMPLITUDES, FREQUENCIES, PHASES)))


def _column(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)[:, None])
