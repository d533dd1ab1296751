"""Trains and tests the variants of a study, stores one file per run in results/, and writes RESULTS.md from all.

    python -m scripts.measure sine [--workers=2]
    python -m scripts.measure omniglot --records_root_dir=RECORDS --variants=ALFA,control --seeds=0,1,2
    python -m scripts.measure                                             writes RESULTS.md alone

Stored results are reused, and interrupted runs are resumed. Every run uses one thread.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.main import parse_seeds
from alfa_md.system.startup import BAD_INPUT
from scripts import once
from scripts.errors import one_line_errors
from scripts.results_page import write_results
from scripts.studies import STUDIES
from scripts.study import ROOT, Study

STORE = ROOT / "results"


def main() -> int:
    parser = make_parser()
    options = parser.parse_args()
    reasons: list[str] = []
    if options.study:
        study = STUDIES[options.study]
        reasons = measure_all(study, select_variants(study, options, parser), options)
    write_results(STORE, ROOT)
    for reason in reasons:
        print("error:", reason, file=sys.stderr)
    return BAD_INPUT if reasons else 0


def make_parser() -> ArgumentParser:
    parser = once.make_parser(__doc__)
    parser.add_argument("study", nargs="?", choices=sorted(STUDIES))
    parser.add_argument("--records_root_dir", help="the folder of records or data sets, for studies of images")
    parser.add_argument("--runs_dir", default=ROOT / "runs", type=Path)
    parser.add_argument("--seeds", help="separated by commas; those of each variant without it")
    parser.add_argument("--variants", help="separated by commas; all without it")
    parser.add_argument("--workers", default=2, type=int)
    return parser


def select_variants(study: Study, options: Namespace, parser: ArgumentParser) -> list[str]:
    """The variants in --variants, each after the one that it starts from or tests."""
    if study.data and not options.records_root_dir:
        parser.error(f"{study.name} is measured on {study.data}; give --records_root_dir")
    names = options.variants.split(",") if options.variants else list(study.variants)
    if unknown := [name for name in names if name not in study.variants]:
        parser.error(f"{study.name} has no {unknown[0]!r}; there are {', '.join(study.variants)}")
    return [name for name in in_order(study, names) if name in names]


def in_order(study: Study, names: Sequence[str]) -> list[str]:
    """The variants and all that they need, each after what it needs."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys([*in_order(study, study.variants[name].needs), name])
    return list(found)


def measure_all(study: Study, variants: Sequence[str], options: Namespace) -> list[str]:
    """Measures every variant and seed, with --workers in parallel; returns the error messages of those that failed.

    A measurement begins after those that it needs; variants that test the same run follow each other.
    """

    def reasons(variant: str, seed: int, needed: Sequence[Future]) -> list[str]:
        wait(needed)
        try:
            study.measure(variant, seed, options.runs_dir.resolve(), options.records_root_dir, STORE)
        except UserError as error:
            return [str(error)]
        return []

    last: dict[tuple[str, int], Future] = {}  # of those that use the run of a variant
    submitted = []
    with ThreadPoolExecutor(options.workers) as pool:
        for variant in variants:
            own = study.variants[variant]
            for seed in parse_seeds(options.seeds.split(",")) if options.seeds else own.seeds:
                needed = [last[name, seed] for name in own.needs if (name, seed) in last]
                submitted.append(pool.submit(reasons, variant, seed, needed))
                last[variant, seed] = last[own.run or variant, seed] = submitted[-1]
        try:
            return [reason for each in submitted for reason in each.result()]
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C, which has ended the runs, none begins


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
