"""Identification of episodes by their pixels, the program of every process in tests/test_fingerprints_agree.py."""

import io
import json
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.image_cache import ImageCache, open_record_images
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.data.tfrecord.source import ClassRecords, RecordSource
from alfa_md.episode import Episode
from alfa_md.evaluation.scores import score_episodes
from alfa_md.system.distributed import ProcessGroup, process_group

EPISODES = 23  # more than a portion of two processes, and an odd number
SIZE = 6  # pixels


def marked_image(class_id: int, number: int) -> bytes:
    """A 13x9 PNG of noise whose first pixel is (class id, record number, 0): kept by a resize with aligned corners."""
    pixels = np.random.RandomState(100 * class_id + number).randint(0, 256, (9, 13, 3), dtype=np.uint8)
    pixels[0, 0] = class_id, number, 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def drawn_source(root: Path, decoder=None, cache: ImageCache | None = None) -> RecordSource:
    """A source of variable-way, variable-shot episodes of the test split."""
    spec = load_spec(root / "toy")
    return RecordSource(
        spec, "test", Sampling(), open_record_images(spec, decoder or installed_decoder(SIZE), cache), seed=1
    )


def records_in(episode: Episode) -> list[ClassRecords]:
    """The classes and records of an episode, read from its pixels and labels."""
    found: list[list] = [[None, [], []] for _ in range(episode.way)]
    for side, images, labels in ((1, episode.support_x, episode.support_y), (2, episode.query_x, episode.query_y)):
        marks = ((images[:, :2, 0, 0] / 2 + 0.5) * 255).round().int().tolist()
        for label, group in groupby(zip(labels.tolist(), marks, strict=True), key=lambda pair: pair[0]):
            for _, (class_id, number) in group:
                assert found[label][0] in (None, class_id)
                found[label][0] = class_id
                found[label][side].append(number)
    return [ClassRecords(*each) for each in found]


def fingerprints_and_hashes(episodes: Iterator[Episode]) -> list[tuple[str, str]]:
    """(fingerprint, hash of the tensors) of every episode."""
    return [(episode_fingerprint(e.source, e.split, records_in(e)), tensor_hash(e)) for e in episodes]


def tensor_hash(episode: Episode) -> str:
    content = b"".join(tensor.contiguous().numpy().tobytes() for tensor in episode[:4])
    return sha256(content).hexdigest()[:12]


class HashLearner:
    """A learner stub whose score is the fingerprint (0) or the pixel hash (1) of the episode."""

    vectorized = False

    def __init__(self, which: int):
        self.objective = SimpleNamespace(score=lambda name, _: name)
        self._which = which

    def __call__(self, episode: Episode) -> torch.Tensor:
        return torch.tensor(int(fingerprints_and_hashes([episode])[0][self._which][:12], 16))

    def eval(self) -> None:
        """No-op, as required of a learner."""


def evaluation_hashes(root: Path, group: ProcessGroup) -> list[list[int]]:
    """Fingerprint and pixel hashes of all episodes in an evaluation by these processes."""
    source, cpu, numbers = drawn_source(root), torch.device("cpu"), range(EPISODES)
    hashes = [score_episodes(HashLearner(which), source, numbers, cpu, group) for which in (0, 1)]
    return [[name for portion in portions for name in portion] for portions in hashes]


def main(arguments: Sequence[str]) -> None:
    root, out = map(Path, arguments)
    with process_group() as group:
        content = evaluation_hashes(root, group)
        (out / f"{group.rank}.json").write_text(json.dumps(content))


if __name__ == "__main__":
    main(sys.argv[1:])
