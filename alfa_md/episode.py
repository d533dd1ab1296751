"""Episode and EpisodeSource: the interface between data and learners."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from alfa_md.pixels import normalise


class Episode(NamedTuple):
    """One few-shot task as tensors, with its identity (seed, source, split, index), which determines every value.

    Examples are grouped by class; classes are numbered in the order in which they were drawn.
    """

    support_x: Tensor  # [Ns, ...] float32; images are [Ns, 3, H, W] in [-1, 1], or uint8 grey levels before `to`
    support_y: Tensor  # [Ns] int64 in [0, way)
    query_x: Tensor  # [Nq, ...]
    query_y: Tensor  # [Nq]
    way: int
    source: str
    split: str
    seed: int
    index: int

    @property
    def name(self) -> str:
        """Source, split, index and seed, for messages."""
        return f"{self.source} {self.split} episode {self.index} of seed {self.seed}"

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(support_x, support_y, query_x, query_y)."""
        return self.support_x, self.support_y, self.query_x, self.query_y

    def map(self, change: Callable[[Tensor], Tensor]) -> "Episode":
        """The same episode with `change` applied to each of its four tensors."""
        return self._replace(
            support_x=change(self.support_x),
            support_y=change(self.support_y),
            query_x=change(self.query_x),
            query_y=change(self.query_y),
        )

    def to(self, device: torch.device) -> "Episode":
        """The episode on `device`, its images as floats; a pinned episode is copied without blocking the host."""
        there = self.map(lambda tensor: tensor.to(device, non_blocking=True))
        return there.map(lambda tensor: normalise(tensor) if tensor.dtype == torch.uint8 else tensor)

    def pin(self) -> "Episode":
        """The episode in page-locked memory, from which a GPU copies asynchronously."""
        return self.map(Tensor.pin_memory)


class EpisodeSource(Protocol):
    """Episodes of one source and split: a pure function of the index, given the seed."""

    name: str
    split: str

    def episode(self, index: int) -> Episode:
        """Episode number `index`; the same in every call and process and on every platform."""

    def stamp(self) -> dict[str, object]:
        """The data, decoder, image size and so on that the episodes depend on, as plain values for results files."""

    def fingerprint(self, index: int) -> str | None:
        """16 hex digits of what episode `index` is of, found without reading it; None if the source cannot tell."""
        return None

    @property
    def files(self) -> Mapping[str, Mapping[str, str]]:
        """Digests of the files behind the episodes, by "source split" and file or class; {} if there are none."""
        return {}
