"""Classes whose images are picture files, kept where they are JPEG."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.conversion.pictures import kept_or_encoded


class KeptFiles(NamedTuple):
    """The files of every class id, in record order. Raises UnreadablePicture for one that is no picture."""

    files: Sequence[Sequence[Path]]

    def __call__(self, class_id: int) -> Iterator[bytes]:
        return (kept_or_encoded(file) for file in self.files[class_id])

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(map(len, self.files))
