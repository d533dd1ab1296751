"""Audit of one source below a records root."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from alfa_md.data.audit.class_audit import Auditor, FileAudit
from alfa_md.data.audit.finding import Finding
from alfa_md.data.audit.shard_audit import ShardAuditor
from alfa_md.data.convert_common.conversion_state import UNFINISHED
from alfa_md.data.convert_common.published_specs import PUBLISHED_SPECS, counts_hash, names_hash
from alfa_md.data.layouts import INFO_FILE
from alfa_md.data.prepared import find_prepared
from alfa_md.data.spec import SPEC_FILE, DatasetSpec, load_spec
from alfa_md.data.tfrecord.decoder import Decoder
from alfa_md.errors import UserError

ShowProgress = Callable[[Iterable, str, int], Iterable]  # (results, title, total) -> results, with a progress bar


@dataclass(frozen=True)
class SourceAudit:
    """Audit result; `state` is missing, unfinished (conversion running or interrupted), unreadable or present."""

    source: str
    state: str
    classes: int = 0
    images: int = 0
    checked: int = 0
    size: int = 0  # bytes of the class files
    names: str = ""  # "as published", "not published", or "" if there is no published specification
    counts: str = ""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"findings": [finding._asdict() for finding in self.findings]}


def audit_source(
    directory: Path,
    decoder: Decoder,
    sampled: int | None = None,
    workers: int = 1,
    progress: ShowProgress | None = None,
) -> SourceAudit:
    """Audits the records in `directory`, `sampled` per class or all. Damage becomes findings, never an exception."""
    source = directory.name
    if not (directory / SPEC_FILE).exists() and not find_prepared(directory.parent, source):
        return audit_without_spec(directory)
    try:
        spec = load_spec(directory)
    except UserError as error:
        return SourceAudit(source, "unreadable", findings=(Finding(str(error)),))
    auditor, files = file_auditor(spec, decoder, sampled)
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(auditor, files)
        audits = list(progress(results, f"Checking {source}", len(files)) if progress else results)
    compared = compare_with_published(spec)
    return replace(
        compared,
        classes=len(spec.class_names),
        images=sum(audit.records for audit in audits),
        checked=sum(audit.checked for audit in audits),
        size=sum(audit.size for audit in audits),
        findings=(
            *compared.findings,
            *find_stray_files(spec),
            *(finding for audit in audits for finding in audit.findings),
        ),
    )


def file_auditor(spec: DatasetSpec, decoder: Decoder, sampled: int | None) -> tuple[Callable[[int], FileAudit], range]:
    """The audit of one record file of a source, by its number, and the numbers of all."""
    if spec.shards is None:
        return Auditor(spec, decoder, sampled), range(len(spec.class_names))
    in_order = sorted(spec.shards.slices)  # labels of records are in this order
    labels = tuple(map(in_order.index, spec.shards.slices))
    return ShardAuditor(spec.shards, labels, decoder, sampled), range(len(spec.shards.lengths))


def audit_without_spec(directory: Path) -> SourceAudit:
    """Audit of a directory without specification: missing, unfinished, or record files without a specification."""
    files = sum(1 for _ in directory.glob("*.tfrecords")) if directory.is_dir() else 0
    if (directory / UNFINISHED).exists():
        return SourceAudit(directory.name, "unfinished", classes=files)
    if not files:
        return SourceAudit(directory.name, "missing")
    line = f"{directory}: has {files} class files and no {SPEC_FILE}; convert the source again in another records root"
    return SourceAudit(directory.name, "unreadable", classes=files, findings=(Finding(line),))


def compare_with_published(spec: DatasetSpec) -> SourceAudit:
    """Comparison of the specification with the published one of the same name, if there is one."""
    audit = SourceAudit(spec.name, "present")
    if spec.name not in PUBLISHED_SPECS:
        return audit
    published, words = PUBLISHED_SPECS[spec.name], {True: "as published", False: "not published"}
    names, counts = names_hash(spec) == published.names, counts_hash(spec) == published.counts
    audit = replace(audit, names=words[names], counts=words[counts])
    if names and counts:
        return audit
    different = "class names" if not names else "image counts"
    line = f"{spec.path}: {different} are not the published ones; its episodes are not those of other people's records"
    return replace(audit, findings=(Finding(line, warning=True),))


def find_stray_files(spec: DatasetSpec) -> list[Finding]:
    """One finding for each record file that belongs to no class, or to no shard."""
    if spec.shards:
        numbers, pattern, what = range(len(spec.shards.lengths)), "*.tfrecord-*", f"no shard of {INFO_FILE}"
    else:
        numbers, pattern, what = range(len(spec.class_names)), "*.tfrecords", "of no class of the specification"
    expected = {spec.layout.file(number).name for number in numbers}
    found = sorted(path for path in spec.path.glob(pattern) if path.name not in expected)
    return [Finding(f"{path}: is {what}; move it elsewhere") for path in found]
