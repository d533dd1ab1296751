"""Whether neighbours in a file resemble each other more than chance would have it, as the frames of a film do."""

import numpy as np

SHUFFLES = 200
UNLIKELY = -4.0  # standard deviations
RATIO = 0.8  # a file whose neighbours are hardly nearer than others harms nobody
FEWEST = 8  # images


def neighbours_resemble(images: np.ndarray) -> bool:
    """Of [N, ...] pixels in file order: the mean distance of neighbours against that in shuffled orders."""
    if len(images) < FEWEST:
        return False
    pixels = images.reshape(len(images), -1).astype(np.float64)
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    own = mean_of_neighbours(distances, np.arange(len(images)))
    rng = np.random.RandomState(0)
    by_chance = np.array([mean_of_neighbours(distances, rng.permutation(len(images))) for _ in range(SHUFFLES)])
    mean, std = by_chance.mean(), by_chance.std()
    return bool(own < RATIO * mean and own - mean < UNLIKELY * std)


def mean_of_neighbours(distances: np.ndarray, order: np.ndarray) -> float:
    """The mean of `distances` [N, N] between the images that follow each other in this order."""
    return float(distances[order[:-1], order[1:]].mean())
