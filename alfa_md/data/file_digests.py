"""Digests of the files of a data set: of names, sizes and a few kilobytes, so that a whole Meta-Dataset takes a second.

A file whose middle alone is replaced by as many bytes keeps its digest.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from alfa_md.data.spec import SPEC_FILE
from alfa_md.data.spec_kinds import DatasetSpec
from alfa_md.data.tfrecord.record_files import spec_fingerprint

SAMPLE = 1024  # bytes
LENGTH = 8  # hex digits of a digest
ABSENT = "-" * LENGTH  # of a file that is not there, or cannot be read
THREADS = 16  # to overlap the latency of disks and network file systems

Files = Mapping[str, Mapping[str, str]]  # "source split" -> file or class -> digest


def digest_files(groups: Mapping[str, Sequence[str | Path]]) -> dict[str, str]:
    """The digest of every group of files, by its name; ABSENT if one of them cannot be read.

    A digest covers the group's name, the names and sizes of its files, and the first and the last SAMPLE bytes of its
    first and of its last file.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(groups, pool.map(_group_digest, groups, groups.values()), strict=True))


def digest_records(spec: DatasetSpec, split: str) -> dict[str, str]:
    """The digests of a specification and of the record files of one split, by file name."""
    files = {path.name: [path] for path in map(spec.layout.file, spec.layout.files_of(spec.classes(split)))}
    return {SPEC_FILE: spec_fingerprint(spec)[:LENGTH]} | digest_files(files)


def short_digest(*parts: object) -> str:
    """LENGTH hex digits of the SHA-256 of these strings, numbers and bytes."""
    found = sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else os.fsencode(str(part))
        found.update(len(content).to_bytes(8, "little") + content)
    return found.hexdigest()[:LENGTH]


def _group_digest(name: str, files: Sequence[str | Path]) -> str:
    try:
        known = [part for file in files for part in (os.path.basename(file), os.stat(file).st_size)]
        ends = [end for file in dict.fromkeys((files[0], files[-1])) for end in _ends(file)]
    except OSError:
        return ABSENT
    return short_digest(name, *known, *ends)


def _ends(path: str | Path) -> tuple[bytes, bytes]:
    """The first and the last SAMPLE bytes of a file."""
    with open(path, "rb", buffering=0) as file:
        start = file.read(SAMPLE)
        file.seek(max(os.fstat(file.fileno()).st_size - SAMPLE, 0))
        return start, file.read(SAMPLE)
