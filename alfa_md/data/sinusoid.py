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

from alfa_md.data.build_episode import build_episode
from alfa_md.data.fingerprint import short_hash
from alfa_md.data.sampling import stable_rng
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import MissingSplit, UserError, require_at_least
from alfa_md.values import Items

AMPLITUDES, FREQUENCIES, PHASES = (0.1, 5.0), (0.8, 1.2), (0.0, math.pi)
INTERVAL = (-5.0, 5.0)
GRID = 100  # query points of a validation or test curve
SPLITS = ("train", "valid", "test")


@gin.configurable
@dataclass(frozen=True)
class Points:
    """Points per episode: `shots` support points, and `queries` query points in training."""

    shots: Items = 10
    queries: Items = 10

    def __post_init__(self) -> None:
        require_at_least(1, "Points", shots=self.shots, queries=self.queries)


class SineCurve(NamedTuple):
    """The function y = amplitude * sin(frequency * x + phase)."""

    amplitude: float
    frequency: float
    phase: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.amplitude * np.sin(self.frequency * x + self.phase)


class Sinusoids(EpisodeSource):
    """Regression episodes, each of one random sine curve: points [N, 1] -> values [N, 1], way 1.

    Support points and training query points are uniform; validation and test have 100 evenly spaced query points over
    the interval, ends included. Smaller shots are prefixes of larger ones: the same curve and the same first points.
    Raises MissingSplit for an unknown split.
    """

    def __init__(self, name: str, split: str, points: Points, seed: int):
        if split not in SPLITS:
            raise MissingSplit(f"{name} has no split {split!r}; there are {', '.join(SPLITS)}")
        self.name, self.split = name, split
        self._points, self._seed = points, seed

    def curve(self, index: int) -> SineCurve:
        """The curve of episode `index`."""
        return _draw_curve(self._rng(index))

    def draw(self, index: int) -> tuple[SineCurve, np.ndarray, np.ndarray]:
        """The curve of episode `index`, and its support and query points [N]."""
        rng = self._rng(index)
        curve = _draw_curve(rng)
        support_x = rng.uniform(*INTERVAL, self._points.shots)
        if self.split == "train":
            return curve, support_x, rng.uniform(*INTERVAL, self._points.queries)
        return curve, support_x, np.linspace(*INTERVAL, GRID)

    def fingerprint(self, index: int) -> str:
        curve, support_x, query_x = self.draw(index)
        return short_hash(self.name, self.split, curve, support_x.tolist(), query_x.tolist())

    def episode(self, index: int) -> Episode:
        """Episode `index`; all tensors are float32."""
        curve, support_x, query_x = self.draw(index)
        support, query = ((_column(x), _column(curve(x))) for x in (support_x, query_x))
        return build_episode(self, self._seed, index, 1, support, query)

    def stamp(self) -> dict:
        """The distribution of curves and of query points."""
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
    """Sine episodes by `seed` and `name`; `root` is unused. Raises UserError if `sampling` is not Points."""
    if not isinstance(sampling, Points):
        raise UserError(f"sinusoids are sampled by Points, not {type(sampling).__name__}; set sampling = @Points()")
    return Sinusoids(name, split, sampling, seed)


def _draw_curve(rng: np.random.RandomState) -> SineCurve:
    return SineCurve(*(rng.uniform(*bounds) for bounds in (AMPLITUDES, FREQUENCIES, PHASES)))


def _column(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)[:, None])
