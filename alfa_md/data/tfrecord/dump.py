"""Episodes written to files, in the format that `dumped_files` describes."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.tfrecord.dump_format import COUNTS_FILE, FINGERPRINTS_FILE, SETS, episode_file
from alfa_md.data.tfrecord.record_files import RecordFiles, RecordId
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.data.tfrecord.source import ClassRecords, RecordSource
from alfa_md.errors import UserError


def dump_source(source: RecordSource, files: RecordFiles, indices: Iterable[int], folder: Path, seed: int) -> Path:
    """Writes these episodes of a source to FOLDER/SPLIT/SOURCE and returns that directory: all of them, or nothing.

    The encoded images are copied byte for byte, so that whoever decodes them sees the pixels of the records; labels are
    those within the episode. Beside the files of the format, `fingerprints.json` tells the seed and what the episodes
    are made of. `files` are those of the source, `seed` the one that it draws by.

    Raises UserError where the directory is there already, or a record cannot be read.
    """
    directory = folder / source.split / source.name
    if directory.exists():
        raise UserError(f"{directory}: is there already; choose another folder, or remove it")
    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{source.name}.", dir=directory.parent) as temporary:
        unfinished = Path(temporary, source.name)
        unfinished.mkdir()
        counts, names = {}, []
        for number, index in enumerate(indices):
            drawn = source.draw(index)
            for set_name, places in zip(SETS, _labelled_records(drawn), strict=True):
                file = unfinished / episode_file(number, set_name)
                counts[file.name] = _write_set(file, files, places)
            names.append(episode_fingerprint(source.name, source.split, drawn))
        known = {"source": source.name, "split": source.split, "seed": seed, "fingerprints": names}
        (unfinished / FINGERPRINTS_FILE).write_text(json.dumps(known, indent=1))
        (unfinished / COUNTS_FILE).write_text(json.dumps(counts, indent=2))
        os.rename(unfinished, directory)
    return directory


def _labelled_records(drawn: Sequence[ClassRecords]) -> tuple[list[tuple[int, RecordId]], list[tuple[int, RecordId]]]:
    """Label and place of every support and of every query image."""
    support = [(label, (c.class_id, int(n))) for label, c in enumerate(drawn) for n in c.support]
    query = [(label, (c.class_id, int(n))) for label, c in enumerate(drawn) for n in c.query]
    return support, query


def _write_set(file: Path, files: RecordFiles, places: Sequence[tuple[int, RecordId]]) -> dict[str, int]:
    """Writes one set of images; returns how many there are of each label, as JSON has them."""
    images = files.read_images([place for _, place in places])
    labels = [label for label, _ in places]
    write_records(file, map(encode_example, images, labels))
    return {str(label): count for label, count in Counter(labels).items()}
