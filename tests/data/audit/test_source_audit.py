"""Source audit: every kind of damage to an intact source is found."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alfa_md.data.audit.order_bias import neighbours_resemble
from alfa_md.data.audit.source_audit import SourceAudit, audit_source
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from tests.data.records import coloured_image, write_source


def mixed(class_id: int, number: int) -> bytes:
    """An image whose colour is uncorrelated with those of its neighbours."""
    return coloured_image(class_id, (number * 67 + class_id) % 251)


def audit(root: Path, sampled: int | None = None) -> SourceAudit:
    return audit_source(root / "toy", TurboDecoder(image_size=4), sampled)


@pytest.fixture
def root(tmp_path) -> Path:
    write_source(tmp_path, mixed, images_per_class=12)
    return tmp_path


def test_an_intact_source_has_no_findings(root):
    found = audit(root)
    assert (found.state, found.classes, found.images, found.checked, found.findings) == ("present", 18, 216, 216, ())
    assert found.size == sum(file.stat().st_size for file in (root / "toy").glob("*.tfrecords"))
    assert audit(root, sampled=3).checked == 54


def replaced(file: Path, images: list[bytes], labels: list[int]) -> None:
    write_records(file, map(encode_example, images, labels))


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "3.tfrecords: cannot be read"),
    "empty": (lambda file: file.write_bytes(b""), "3.tfrecords: has 0 records, its specification says 12"),
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:-1]), "record 11 at byte .* is truncated"),
    "flipped": (flipped, "record 0 at byte 0 is corrupt"),
    "label": (
        lambda file: replaced(file, [mixed(3, n) for n in range(12)], [3] * 11 + [4]),
        "record 11 has label 4, not the number of its file",
    ),
    "picture": (
        lambda file: replaced(file, [mixed(3, n) for n in range(11)] + [b"none"], [3] * 12),
        "record 11: the image is not a whole still picture",
    ),
    "stray": (lambda file: (file.parent / "99.tfrecords").write_bytes(b""), "99.tfrecords: is of no class"),
    "spec": (lambda file: (file.parent / "dataset_spec.json").write_text("{"), "is not valid JSON"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_named(kind, root):
    damage, words = DAMAGE[kind]
    damage(root / "toy" / "3.tfrecords")
    (finding,) = audit(root).findings
    assert not finding.warning and ";" in finding.line
    assert re.search(words, finding.line), finding.line


def test_order_bias_is_a_warning(tmp_path):
    write_source(tmp_path, lambda class_id, number: coloured_image(class_id, number * 5), images_per_class=30)
    findings = audit(tmp_path).findings
    assert len(findings) == 18 and all(f.warning and "neighbours resemble" in f.line for f in findings)


def test_random_order_has_no_order_bias():
    images = np.random.RandomState(1).rand(50, 40, 3, 4, 4)
    assert not any(neighbours_resemble(source[:-1], source[1:]) for source in images)
    films = np.repeat(images[:, :8], 5, axis=1)
    assert all(neighbours_resemble(source[:-1], source[1:]) for source in films)


def test_unfinished_and_missing_sources(root):
    (root / "toy" / "dataset_spec.json").rename(root / "toy" / "unfinished_spec.json")
    assert (audit(root).state, audit(root).classes) == ("unfinished", 18)
    (root / "toy" / "unfinished_spec.json").unlink()
    assert "no dataset_spec.json" in audit(root).findings[0].line
    assert audit(root / "elsewhere").state == "missing"


def test_audits_are_json(root):
    (root / "toy" / "3.tfrecords").unlink()
    content = json.loads(json.dumps(audit(root).to_json()))
    assert content["source"] == "toy" and content["findings"][0]["warning"] is False
