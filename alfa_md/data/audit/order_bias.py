"""Test for order bias in a record file: neighbours more similar than by chance, as video frames are."""

import numpy as np

SHUFFLES = 200
UNLIKELY = -4.0  # standard deviations
RATIO = 0.9  # of the distance by chance; a smaller difference is harmless
FEWEST = 8  # pairs
PAIRS = 32


def pair_positions(num_records: int) -> list[int]:
    """Record numbers of the first of each pair of neighbours to compare, evenly spread over the file."""
    return np.unique(np.linspace(0, max(num_records - 2, 0), PAIRS).round().astype(int)).tolist()


def neighbours_resemble(firsts: np.ndarray, seconds: np.ndarray) -> bool:
    """True if records are significantly nearer to the next record of the file than to random other records.

    `firsts` and `seconds` are the pixels [N, ...] of N pairs of neighbours; their mean distance is compared with that
    of random pairings (fixed seed).
    """
    if len(firsts) < FEWEST:
        return False
    a, b = (images.reshape(len(images), -1).astype(np.float64) for images in (firsts, seconds))
    distances = np.linalg.norm(a[:, None] - b[None], axis=2)
    numbers, rng = np.arange(len(a)), np.random.RandomState(0)
    own = distances[numbers, numbers].mean()
    by_chance = np.array([distances[numbers, rng.permutation(len(a))].mean() for _ in range(SHUFFLES)])
    return bool(own < RATIO * by_chance.mean() and own - by_chance.mean() < UNLIKELY * by_chance.std())
