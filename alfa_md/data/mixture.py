"""Mixture of episode sources, sampled uniformly."""

from collections.abc import Sequence
from functools import cached_property

import gin

from alfa_md.data.file_digests import Files
from alfa_md.data.sampling import stable_rng
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError


@gin.configurable
class Mixture(EpisodeSource):
    """Draws the source of each episode uniformly; `Episode.source` is the name of the drawn source.

    Episode k is episode k of its source, which depends on (seed, k) alone. Raises UserError if there is no source or
    if the sources have different splits.
    """

    name = "mixture"

    def __init__(self, sources: Sequence[EpisodeSource], seed: int) -> None:
        if not sources:
            raise UserError("Mixture.sources is empty; give at least one source")
        for source in sources:
            if source.split != sources[0].split:
                raise UserError(
                    f"Mixture.sources: {source.name} has split {source.split}, but {sources[0].name} has split "
                    f"{sources[0].split}; give all sources the same split"
                )
        self.sources = tuple(sources)
        self.seed = seed
        self.split = sources[0].split

    def episode(self, index: int) -> Episode:
        """Episode `index` of the source drawn for this index."""
        rng = stable_rng(self.seed, self.name, index)
        return self.sources[rng.randint(len(self.sources))].episode(index)

    def stamp(self) -> dict:
        """The stamps of the sources by their names."""
        return {source.name: source.stamp() for source in self.sources}

    @cached_property
    def files(self) -> Files:
        return {name: digests for source in self.sources for name, digests in source.files.items()}
