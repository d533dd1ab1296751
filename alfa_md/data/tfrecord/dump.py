"""Dumping of episodes to files, in the format of `dump_format`."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.tfrecord.dump_format import COUNTS_FILE, FINGERPRINTS_FILE, SETS, episode_file
from alfa_md.data.tfrecord.record_files import RecordFiles, RecordId
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.data.tfrecord.source import ClassRecords, RecordSource
from alfa_md.errors import UserError
from alfa_md.system.drafts import draft_folder


def dump_source(source: RecordSource, files: RecordFiles, indices: Iterable[int], folder: Path, seed: int) -> Path:
    """Write the episodes `indices` of a source atomically to FOLDER/SPLIT/SOURCE; returns that directory.

    Encoded images are copied byte for byte; labels are those of the episode. In addition to the files of the format,
    `fingerprints.json` has the seed and the episode fingerprints. `files` are the record files of the source, `seed` is
    its seed.

    Raises UserError if the directory exists or a record cannot be read.
    """
    directory = folder / source.split / source.name
    if directory.exists():
        raise UserError(f"{directory}: is there already; choose another folder, or remove it")
    with draft_folder(directory) as unfinished:
        counts, fingerprints = {}, []
        for number, index in enumerate(indices):
            drawn = source.draw(index)
            for set_name, records in zip(SETS, _labelled_records(drawn), strict=True):
                file = unfinished / episode_file(number, set_name)
                counts[file.name] = _write_set(file, files, records)
            fingerprints.append(episode_fingerprint(source.name, source.split, drawn))
        known = {"source": source.name, "split": source.split, "seed": seed, "fingerprints": fingerprints}
        (unfinished / FINGERPRINTS_FILE).write_text(json.dumps(known, indent=1), "utf-8")
        (unfinished / COUNTS_FILE).write_text(json.dumps(counts, indent=2), "utf-8")
        os.rename(unfinished, directory)
    return directory


def _labelled_records(drawn: Sequence[ClassRecords]) -> tuple[list[tuple[int, RecordId]], list[tuple[int, RecordId]]]:
    """(label, record) of every support image and of every query image."""
    support = [(label, (c.class_id, int(n))) for label, c in enumerate(drawn) for n in c.support]
    query = [(label, (c.class_id, int(n))) for label, c in enumerate(drawn) for n in c.query]
    return support, query


def _write_set(file: Path, files: RecordFiles, records: Sequence[tuple[int, RecordId]]) -> dict[str, int]:
    """Write the images of a support or query set; returns their number by label, with JSON keys."""
    images = files.read_images([record for _, record in records])
    labels = [label for label, _ in records]
    write_records(file, map(encode_example, images, labels))
    return {str(label): count for label, count in Counter(labels).items()}
