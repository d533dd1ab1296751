"""Trains and tests the variants of a study, keeps one file a run in results/, and writes RESULTS.md from all of them.

    python -m scripts.measure sine [--workers=2]
    python -m scripts.measure omniglot --records_root_dir=RECORDS --variants=ALFA,control --seeds=0,1,2
    python -m scripts.measure                                             writes RESULTS.md alone

What is stored is not measured again, and a run that was interrupted goes on. Every run uses one thread.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.results_page import write_results
from scripts.studies import STUDIES
from scripts.study import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="?", choices=sorted(STUDIES))
    parser.add_argument("--records_root_dir", help="the folder of records or data sets, for studies of images")
    parser.add_argument("--runs_dir", default=ROOT / "runs", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", help="separated by commas; all without it")
    parser.add_argument("--workers", default=2, type=int)
    options = parser.parse_args()
    store = ROOT / "results"
    if options.study:
        study, data = STUDIES[options.study], options.records_root_dir
        if study.data and not data:
            parser.error(f"{study.name} is measured on {study.data}; give --records_root_dir")
        variants = options.variants.split(",") if options.variants else list(study.variants)
        if unknown := [name for name in variants if name not in study.variants]:
            parser.error(f"{study.name} has no {unknown[0]!r}; there are {', '.join(study.variants)}")
        runs = options.runs_dir.resolve()
        variants.sort(key=lambda name: bool(study.variants[name].run))  # runs before what else is tested with them
        jobs = [(variant, int(seed)) for variant in variants for seed in options.seeds.split(",")]
        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(lambda job: study.measure(*job, runs, data, store), jobs))
    write_results(store, ROOT / "RESULTS.md")


if __name__ == "__main__":
    main()
