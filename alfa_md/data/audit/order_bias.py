"""Whether neighbours in a file resemble each other more than chance would have it, as the frames of a film do."""

import numpy as np

SHUFFLES = 200
UNLIKELY = -4.0  # standard deviations
RATIO = 0.9  # a file whose neighbours are hardly nearer than others harms nobody
FEWEST = 8  # pairs
PAIRS = 32


def pair_positions(num_records: int) -> list[int]:
    """The first record of each pair of neighbours to be compared, spread over a file."""
    return np.unique(np.linspace(0, max(num_records - 2, 0), PAIRS).round().astype(int)).tolist()


def neighbours_resemble(firsts: np.ndarray, seconds: np.ndarray) -> bool:
    """Whether pixels [N, ...] of records are nearer to those of the records that follow them than to those of others.

    The distances are compared with those of N pairs put together at random (fixed seed).
    """
    if len(firsts) < FEWEST:
        return False
    a, b = (images.reshape(len(images), -1).astype(np.float64) for images in (firsts, seconds))
    distances = np.linalg.norm(a[:, None] - b[None], axis=2)
    numbers, rng = np.arange(len(a)), np.random.RandomState(0)
    own = distances[numbers, numbers].mean()
    by_chance = np.array([distances[numbers, rng.permutation(len(a))].mean() for _ in range(SHUFFLES)])
    return bool(own < RATIO * by_chance.mean() and own - by_chance.mean() < UNLIKELY * by_chance.std())
