"""Audit of sources in shards: every kind of damage is found, and named with its shard."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from alfa_md.data.audit.source_audit import SourceAudit, audit_source
from alfa_md.data.tfrecord.records import read_records, scan_offsets, write_records
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from tests.data.audit.test_source_audit import flipped, mixed
from tests.data.prepared import example, shard_file, write_prepared
from tests.data.records import named_image, write_source
from tests.data.test_prepared import LENGTHS, write_both


def audit(root: Path, sampled: int | None = None, name: str = "toy") -> SourceAudit:
    return audit_source(root / name, TurboDecoder(image_size=4), sampled)


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_prepared(tmp_path, write_source(tmp_path / "files", mixed, images_per_class=12), LENGTHS)


def test_an_intact_source_has_no_findings(folder, tmp_path):
    found = audit(tmp_path)
    assert (found.state, found.classes, found.images, found.checked, found.findings) == ("present", 18, 216, 216, ())
    assert found.size == sum(file.stat().st_size for file in folder.glob("*.tfrecord-*"))
    few = audit(tmp_path, sampled=3)  # of every class in every shard; two classes are divided, into 2 + 10 and 3 + 9
    assert few.checked == 16 * 3 + (2 + 3) + (3 + 3) and few.findings == ()
    assert json.loads(json.dumps(few.to_json()))["state"] == "present"


def test_labels_are_those_of_the_stored_order(tmp_path):
    write_both(tmp_path)
    for name in ("nouns", "nouns_v2"):
        findings = audit(tmp_path / "tfds", name=name).findings
        assert len(findings) == 116 and all("is not a whole still picture" in finding.line for finding in findings)


def changed(file: Path, number: int, payload: bytes) -> None:
    offsets = scan_offsets(file)
    payloads = read_records(file, offsets, range(len(offsets) - 1))
    write_records(file, [*payloads[:number], payload, *payloads[number + 1 :]])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "00002-of-00004: cannot be read"),
    "empty": (lambda file: file.write_bytes(b""), r"00002-of-00004: has 0 records, dataset_info.json says 133"),
    "cut": (
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        "00002-of-00004: record 132 at byte .* is truncated",
    ),
    "flipped": (flipped, "00002-of-00004: record 0 at byte 0 is corrupt"),
    "label": (
        lambda file: changed(file, 10, example(mixed(5, 0), 4, "5-0.jpg", "class 5")),
        "00002-of-00004: record 10 has label 4, not that of the class whose slice it is in",
    ),
    "picture": (
        lambda file: changed(file, 10, example(named_image(5, 0), 5, "5-0.jpg", "class 5")),
        "00002-of-00004: record 10: the image is not a whole still picture",
    ),
    "stray": (
        lambda file: shard_file(file.parent, 0, 2).write_bytes(b""),
        "00000-of-00002: is no shard of dataset_info.json",
    ),
    "info": (lambda file: (file.parent / "dataset_info.json").write_text("{"), "dataset_info.json: is not valid JSON"),
    "no info": (lambda file: (file.parent / "dataset_info.json").unlink(), "dataset_info.json: not found"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_named(kind, folder, tmp_path):
    damage, words = DAMAGE[kind]
    damage(shard_file(folder, 2, 4))
    (finding,) = audit(tmp_path).findings
    assert not finding.warning and ";" in finding.line
    assert re.search(words, finding.line), finding.line
