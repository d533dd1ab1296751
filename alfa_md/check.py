"""Check the Meta-Dataset records below a folder, source by source, and print how to repair them.

    python -m alfa_md.check --records_root_dir=FOLDER
    python -m alfa_md.check --records_root_dir=FOLDER --sources=dtd,fungi --full --out=check.json

The record headers of every file are read; 8 records of each class, or all with --full, are decoded, and their labels
compared with the number of the class. Sources prepared by Meta-Dataset's TFDS builder are checked in the same way. May
run during a conversion. Exits with code 1 if there are findings other than warnings.
"""

import json
import os
from pathlib import Path

from absl import flags
from rich import box
from rich.table import Table

from alfa_md.data.audit.disk_usage import disk_usage
from alfa_md.data.audit.source_audit import SourceAudit, audit_source
from alfa_md.data.convert_common.conversion_state import UNFINISHED
from alfa_md.data.convert_common.published_specs import PUBLISHED_SPECS
from alfa_md.data.prepared import prepared_sources
from alfa_md.data.spec import SPEC_FILE
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.errors import UserError
from alfa_md.main import run
from alfa_md.system.console import CONSOLE
from alfa_md.system.files import atomic_write
from alfa_md.system.flag_values import refuse_words
from alfa_md.system.progress import progress_bar
from alfa_md.system.user_path import output_path, user_path

FLAGS = flags.FLAGS
LISTED = 10  # findings per source
SAMPLED = 8  # records per class
SIZE = 16  # pixels, enough for finding duplicates
GIGABYTE = 1e9
OPTIONAL = {"ilsvrc_2012_v2"}  # the same images as ilsvrc_2012


def main(argv: list[str]) -> int:
    refuse_words(argv)
    if not FLAGS.records_root_dir:
        raise UserError("--records_root_dir must be given; --help explains")
    root = user_path(FLAGS.records_root_dir)
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; set --records_root_dir to the folder of the converted sources")
    if not FLAGS.sources and not present_sources(root):
        raise UserError(
            f"{root}: holds no source, which is a folder with {SPEC_FILE}; set --records_root_dir to the folder of the "
            "converted sources"
        )
    decoder = installed_decoder(image_size=SIZE, num_threads=1)
    sampled = None if FLAGS.full else SAMPLED
    audits = [audit_source(root / name, decoder, sampled, FLAGS.workers, progress_bar) for name in list_sources(root)]
    around = disk_usage(root)
    print_audits(audits, around)
    if FLAGS.out:
        with atomic_write(output_path(FLAGS.out)) as file:
            content = {"sources": [audit.to_json() for audit in audits], "places": around}
            file.write(json.dumps(content, indent=2).encode())
    return int(any(not finding.warning for audit in audits for finding in audit.findings))


def list_sources(root: Path) -> list[str]:
    """The sources in --sources, by default the ten of Meta-Dataset and all others below `root`."""
    if FLAGS.sources:
        return FLAGS.sources
    return list(dict.fromkeys([*(name for name in PUBLISHED_SPECS if name not in OPTIONAL), *present_sources(root)]))


def present_sources(root: Path) -> list[str]:
    """The sources below `root`: of class files, also if in conversion, and in shards of the TFDS builder."""
    folders = [p.name for p in root.iterdir() if (p / SPEC_FILE).exists() or (p / UNFINISHED).exists()]
    return sorted({*folders, *prepared_sources(root)})


def print_audits(audits: list[SourceAudit], around: dict[str, dict]) -> None:
    """Prints the table of sources, the first findings of each, and the disk space of the folders."""
    table = Table(box=box.SIMPLE)
    for name in ("source", "state", "classes", "images", "checked", "official", "GB", "findings"):
        table.add_column(name, justify="left" if name in ("source", "state") else "right")
    for a in audits:
        columns = [a.source, a.state, a.classes, a.images, a.checked, as_published(a), f"{a.size / GIGABYTE:.2f}"]
        table.add_row(*map(str, columns), str(len(a.findings)))
    CONSOLE.print(table)
    for audit in audits:
        for finding in audit.findings[:LISTED]:
            CONSOLE.print("warning:" if finding.warning else "wrong:", finding.line)
        if len(audit.findings) > LISTED:
            CONSOLE.print(f"{audit.source}: {len(audit.findings) - LISTED} more findings; --out lists all")
    for name, place in around.items():
        kept = "".join(
            f", {part} {place[part] / GIGABYTE:.2f} GB" for part in place.keys() - {"path", "free", "writable"}
        )
        writable = "writable" if place["writable"] else "not writable"
        CONSOLE.print(f"{name}: {place['path']}, {place['free'] / GIGABYTE:.1f} GB free, {writable}{kept}")


def as_published(audit: SourceAudit) -> str:
    """`yes` if class names and image counts are the published ones, `names` if only the names are, `no` or empty."""
    if audit.names == audit.counts == "as published":
        return "yes"
    return "names" if audit.names == "as published" else "no" if audit.names else ""


if __name__ == "__main__":
    flags.DEFINE_string("records_root_dir", None, "Folder of the converted sources.")
    flags.DEFINE_list("sources", None, "Sources to check, separated by commas; default: all.")
    flags.DEFINE_bool("full", False, "Decode every record instead of a few per class.")
    flags.DEFINE_string("out", None, "JSON file for all findings.")
    flags.DEFINE_integer("workers", os.cpu_count() or 1, "Number of record files checked in parallel.", lower_bound=1)
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    run(main)
