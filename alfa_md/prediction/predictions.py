"""Predictions of any number of pictures, a portion at a time, by a learner adapted once to the support set."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from alfa_md.data.open_image import UnreadableImage
from alfa_md.data.picture_inputs import PictureInput, read_content
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.prediction.calibration import Calibration, calibrate
from alfa_md.prediction.support_set import Digest, SupportSet, digest_of

PORTION = 64  # pictures in memory together
THREADS = 2  # that decode


class Prediction(NamedTuple):
    """The class of a picture with the highest score, and the probability of every class as in `Predictions.classes`.

    `file` is relative to the folder of the pictures.
    """

    file: str
    label: str
    probabilities: tuple[float, ...]

    @property
    def probability(self) -> float:
        """The probability of the class."""
        return max(self.probabilities)


class Predictions:
    """Predictions of pictures in the order of their names, computed while they are iterated over, in constant memory.

    Each depends on the support set and its own picture alone. Iterating raises UnreadableImage for a picture that
    cannot be read, unless `skip_unreadable`, and UserError if scores are not finite.

    Attributes:
      learner: the learner, in evaluation mode.
      support: the labelled pictures; `classes` are their names.
      folder, files: the pictures to predict; paths relative to the folder.
      calibration: the leave-one-out result, None without calibration.
      copies: after iteration, the files that equal one of the support set.
      unreadable: after iteration, the reasons why files were left out.
    """

    def __init__(
        self,
        learner: Learner,
        support: SupportSet,
        folder: Path,
        files: tuple[str, ...],
        read: PictureInput,
        calibrated: bool = False,
        skip_unreadable: bool = False,
    ):
        self.learner, self.support, self.folder, self.files = learner.eval(), support, folder, files
        self.classes = support.pictures.classes
        self.copies: list[str] = []
        self.unreadable: list[str] = []
        self._read, self._skip_unreadable, self._device = read, skip_unreadable, support.x.device
        self.calibration: Calibration | None = calibrate(learner, support) if calibrated else None
        with torch.no_grad():
            self._scorer = learner.scorer(support.episode)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Prediction]:
        self.copies, self.unreadable = [], []
        known = set(self.support.digests)
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(self.files), PORTION):
                pictures = list(pool.map(self._picture, self.files[start : start + PORTION]))
                self.unreadable += [picture for picture in pictures if isinstance(picture, str)]
                read = [picture for picture in pictures if not isinstance(picture, str)]
                self.copies += [picture.file for picture in read if picture.digest in known]
                yield from self._predicted(read)

    def _picture(self, name: str) -> "ReadPicture | str":
        """A picture, or the reason why it is left out."""
        path = self.folder / name
        try:
            content = read_content(path)
            return ReadPicture(name, self._read(path, content), digest_of(content))
        except UnreadableImage as error:
            if not self._skip_unreadable:
                raise UnreadableImage(f"{error}, or leave it out with --skip_unreadable") from error
            return str(error)

    def _predicted(self, pictures: list["ReadPicture"]) -> list[Prediction]:
        if not pictures:
            return []
        images = torch.stack([picture.image for picture in pictures])
        scores = self._scores(images.to(self._device, memory_format=torch.channels_last))
        temperature = self.calibration.temperature if self.calibration else 1.0
        best, probabilities = scores.argmax(dim=1), (scores / temperature).softmax(dim=1)
        rows = zip(pictures, best.tolist(), probabilities.tolist(), strict=True)
        return [Prediction(picture.file, self.classes[label], tuple(row)) for picture, label, row in rows]

    @torch.no_grad()
    def _scores(self, images: Tensor) -> Tensor:
        """The scores [N, way] of images [N, C, S, S], float64. Raises UserError if they are not finite."""
        scores = self._scorer(images).double().cpu()
        if not scores.isfinite().all():
            raise UserError("the scores are not finite: adaptation diverged on these pictures; lower the inner rate")
        return scores


class ReadPicture(NamedTuple):
    """A picture that was read: its name, network input [C, S, S], and the digest of its file."""

    file: str
    image: Tensor
    digest: Digest
