"""The support set of a prediction: labelled pictures as one episode without a query set."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.data.labelled_pictures import LabelledPictures
from alfa_md.data.picture_inputs import PictureInput, read_content
from alfa_md.episode import Episode
from alfa_md.errors import UserError

Digest = bytes


class Fold(NamedTuple):
    """A support set without the pictures that were left out, and the indices of those of them to judge."""

    rest: Episode
    judged: list[int]


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

    @property
    def num_folds(self) -> int:
        """The number of different pictures in the largest class, 0 if every class has one."""
        largest = max(map(len, self._different()))
        return largest if largest > 1 else 0

    def folds(self) -> Iterator[Fold]:
        """Yields folds that leave out a picture of every class with two or more, with its copies; each is judged once.

        Were a class alone to lose a picture, the others would have the advantage of a larger sample.
        """
        different = [own for own in self._different() if len(own) > 1]
        for number in range(self.num_folds):
            kept = torch.ones_like(self.y, dtype=torch.bool)
            for own in different:
                kept[own[number % len(own)]] = False
            judged = [index for own in different if number < len(own) for index in own[number]]
            yield Fold(self.taking(kept), judged)

    def _different(self) -> list[list[list[int]]]:
        """The different pictures of every class: the indices of the copies of each."""
        copies: list[dict[Digest, list[int]]] = [{} for _ in self.pictures.classes]
        for index, (label, digest) in enumerate(zip(self.pictures.labels, self.digests, strict=True)):
            copies[label].setdefault(digest, []).append(index)
        return [list(own.values()) for own in copies]

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
