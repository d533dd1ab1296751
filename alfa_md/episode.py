"""Episode and EpisodeSource: the one type that data and learners share."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from alfa_md.pixels import normalise


class Episode(NamedTuple):
    """One few-shot task, already torch, and what names it.

    Classes are grouped and numbered in the order in which they were drawn. `(seed, source, split, index)` determines
    every value: an episode is drawn anew from its name, never stored.
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
        """The words that find this episode again, for messages."""
        return f"{self.source} {self.split} episode {self.index} of seed {self.seed}"

    def map(self, change) -> "Episode":
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
    """Where episodes come from: a pure function of the index, given (seed, source, split)."""

    name: str
    split: str

    def episode(self, index: int) -> Episode:
        """Episode number `index`, the same at every call, in every process and on every platform."""

    def stamp(self) -> dict:
        """What the episodes depend on besides that, as plain values: data, decoder, image size."""
