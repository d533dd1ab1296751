"""The support set of a prediction: labelled pictures as one episode without a query set."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.data.labelled_pictures import LabelledPictures
from alfa_md.data.picture_inputs import PictureInput, read_content
from alfa_md.episode import Episode
from alfa_md.errors import UserError

Digest = bytes


class SupportSet(NamedTuple):
    """Labelled pictures with their inputs [N, C, S, S], labels [N] and the digests of their files."""

    pictures: LabelledPictures
    x: Tensor
    y: Tensor
    digests: tuple[Digest, ...]

    @property
    def episode(self) -> Episode:
        """The support set as an episode, whose query set is empty."""
        return self.taking(torch.ones_like(self.y, dtype=torch.bool))

    def without_copies_of(self, index: int) -> Episode:
        """The episode without the picture `index` and without the pictures whose files equal its file."""
        kept = [digest != self.digests[index] for digest in self.digests]
        return self.taking(torch.tensor(kept, device=self.y.device))

    def taking(self, kept: Tensor) -> Episode:
        """The episode of the pictures where `kept` [N] is true."""
        way = len(self.pictures.classes)
        return Episode(self.x[kept], self.y[kept], self.x[:0], self.y[:0], way, "pictures", "support", 0, 0)


def read_support(pictures: LabelledPictures, read: PictureInput, device: torch.device) -> SupportSet:
    """Reads labelled pictures. Raises UnreadableImage for one that cannot be read, UserError for one in two classes."""
    images, digests = [], []
    for file in pictures.files:
        content = read_content(file)
        images.append(read(file, content))
        digests.append(digest_of(content))
    refuse_contradictions(pictures, digests)
    x = torch.stack(images).to(device, memory_format=torch.channels_last)
    return SupportSet(pictures, x, torch.tensor(pictures.labels, device=device), tuple(digests))


def digest_of(content: bytes) -> Digest:
    """The digest by which files with the same content are recognised."""
    return hashlib.sha256(content).digest()


def refuse_contradictions(pictures: LabelledPictures, digests: Sequence[Digest]) -> None:
    """Raises UserError if files with the same content have different classes."""
    first: dict[Digest, tuple[Path, int]] = {}
    for file, label, digest in zip(pictures.files, pictures.labels, digests, strict=True):
        other, its_label = first.setdefault(digest, (file, label))
        if its_label != label:
            one, two = pictures.classes[its_label], pictures.classes[label]
            raise UserError(f"{other} of class {one!r} and {file} of class {two!r} are one picture; keep it in one")
