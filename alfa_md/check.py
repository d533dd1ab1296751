"""Checks the records of Meta-Dataset below a folder, source by source, and says how to repair what is wrong.

    python -m alfa_md.check --records_root_dir=FOLDER
    python -m alfa_md.check --records_root_dir=FOLDER --sources=dtd,fungi --full --out=check.json

Every class file is looked through; 8 records of each, or all with --full, are read, decoded and compared with the
number of their file. It may run beside a conversion. The exit code is 1 where something is wrong, warnings aside.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from absl import flags
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from alfa_md.data.audit.places import places
from alfa_md.data.audit.source_audit import SourceAudit, audit_source
from alfa_md.data.conversion.ledger import UNFINISHED
from alfa_md.data.conversion.published import PUBLISHED
from alfa_md.data.spec import SPEC_FILE
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.errors import UserError
from alfa_md.main import run
from alfa_md.system.files import atomic_write

FLAGS = flags.FLAGS
LISTED = 10  # findings of a source
SAMPLED = 8  # records of a class
SIZE = 16  # pixels, enough to see which images resemble each other
GIGABYTE = 1e9
OPTIONAL = {"ilsvrc_2012_v2"}  # the same images as ilsvrc_2012


def main(argv: list[str]) -> int:
    if not FLAGS.records_root_dir:
        raise UserError("--records_root_dir must be given; --help explains")
    root = Path(FLAGS.records_root_dir).expanduser()
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; set --records_root_dir to the folder of the converted sources")
    decoder = installed_decoder(image_size=SIZE, num_threads=1)
    sampled = None if FLAGS.full else SAMPLED
    audits = [audit_source(root / name, decoder, sampled, FLAGS.workers, watched) for name in sources(root)]
    around = places(root)
    show(audits, around)
    if FLAGS.out:
        with atomic_write(Path(FLAGS.out)) as file:
            content = {"sources": [audit.to_json() for audit in audits], "places": around}
            file.write(json.dumps(content, indent=2).encode())
    return int(any(not finding.warning for audit in audits for finding in audit.findings))


def sources(root: Path) -> list[str]:
    """Those asked for; else the ten of Meta-Dataset, and what else is there."""
    if FLAGS.sources:
        return FLAGS.sources
    there = sorted(p.name for p in root.iterdir() if (p / SPEC_FILE).exists() or (p / UNFINISHED).exists())
    return list(dict.fromkeys([*(name for name in PUBLISHED if name not in OPTIONAL), *there]))


def watched(results: Iterable, title: str, total: int) -> Iterable:
    return track(results, title, total=total, console=Console(stderr=True), transient=True)


def show(audits: list[SourceAudit], around: dict[str, dict]) -> None:
    console, table = Console(), Table(box=box.SIMPLE)
    for name in ("source", "state", "classes", "images", "checked", "official", "GB", "findings"):
        table.add_column(name, justify="left" if name in ("source", "state") else "right")
    for a in audits:
        columns = [a.source, a.state, a.classes, a.images, a.checked, as_published(a), f"{a.size / GIGABYTE:.2f}"]
        table.add_row(*map(str, columns), str(len(a.findings)))
    console.print(table)
    for audit in audits:
        for finding in audit.findings[:LISTED]:
            print("warning:" if finding.warning else "wrong:", finding.line)
        if len(audit.findings) > LISTED:
            print(f"{audit.source}: {len(audit.findings) - LISTED} more findings; --out lists all")
    for name, place in around.items():
        kept = "".join(
            f", {part} {place[part] / GIGABYTE:.2f} GB" for part in place.keys() - {"path", "free", "writable"}
        )
        writable = "writable" if place["writable"] else "not writable"
        print(f"{name}: {place['path']}, {place['free'] / GIGABYTE:.1f} GB free, {writable}{kept}")


def as_published(audit: SourceAudit) -> str:
    """Whether class names and image counts are those of the published specification, if there is one."""
    if audit.names == audit.counts == "as published":
        return "yes"
    return "names" if audit.names == "as published" else "no" if audit.names else ""


if __name__ == "__main__":
    flags.DEFINE_string("records_root_dir", None, "Folder of the converted sources.")
    flags.DEFINE_list("sources", None, "Only these, separated by commas.")
    flags.DEFINE_bool("full", False, "Read and decode every record, not a few of each class.")
    flags.DEFINE_string("out", None, "JSON file for all that is found.")
    flags.DEFINE_integer("workers", os.cpu_count() or 1, "Class files looked at together.", lower_bound=1)
    flags.DEFINE_string("cache_dir", None, "Where indexes and decoded images are kept; the run's own default.")
    run(main)
