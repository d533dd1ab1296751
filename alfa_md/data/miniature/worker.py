"""Worker process that draws the miniature: writes its share of the classes and prints a line for each.

Started by `build` as `python -m alfa_md.data.miniature.worker FOLDER SEED NUMBER WORKERS SOURCE...`.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from alfa_md.data.miniature.photo import jpeg_bytes
from alfa_md.data.miniature.sources import MiniatureSource, miniature_sources
from alfa_md.data.sampling import stable_rng
from alfa_md.data.tfrecord.records import encode_example, write_records

PROGRESS = 1  # the descriptor of stdout, a pipe; sys.stdout would survive its end


def write_class(root: Path, source: MiniatureSource, class_id: int, seed: int) -> None:
    """Draw one class and write `<root>/<source>/<class_id>.tfrecords`; the bytes depend on the arguments only."""
    name, count = source.spec.name, source.spec.images_per_class[class_id]
    images = source.generators[class_id].images(stable_rng(seed, "miniature", name, class_id), count)
    payloads = (encode_example(jpeg_bytes(image), class_id) for image in images)
    write_records(root / name / f"{class_id}.tfrecords", payloads)


def write_share(root: Path, seed: int, number: int, workers: int, names: Sequence[str]) -> None:
    """Write the classes of the sources `names` whose position among all of them is `number` modulo `workers`."""
    chosen = [miniature_sources()[name] for name in names]
    jobs = [(source, class_id) for source in chosen for class_id in range(len(source.generators))]
    for source, class_id in jobs[number::workers]:
        write_class(root, source, class_id, seed)
        os.write(PROGRESS, f"{source.spec.name} {class_id}\n".encode())


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # the process that reads the progress is gone, and with it the use of the rest
        write_share(Path(sys.argv[1]), *map(int, sys.argv[2:5]), names=sys.argv[5:])
