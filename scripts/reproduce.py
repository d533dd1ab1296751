"""Cells of the paper's tables: trained, evaluated, kept in results/, and printed beside the published numbers.

    scripts/reproduce.sh table8                             every cell of a table
    scripts/reproduce.sh table1 --row=table1_conv4_alfa_maml --seeds=0,1,2 --records_root_dir=DATA

What is done is not done again. A cell without its data is named with what is missing, and the others go on.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alfa_md.config import fingerprint
from alfa_md.run_directory import RunDirectory, environment, write_json
from scripts.paper_cells import ROOT, Cell, chosen
from scripts.paper_table import difference, measured, published
from scripts.results_page import write_results

MISSING_DATA = 3
CONSOLE = Console(width=160, highlight=False)


def main() -> int:
    options = flags().parse_args()
    try:
        selected = chosen(options.table, options.row, options.setting)
    except ValueError as error:
        print("error:", error, file=sys.stderr)
        return 2
    missing = {cell: reason for cell in selected if (reason := reproduced(cell, options))}
    CONSOLE.print(comparison(selected))
    for cell, reason in missing.items():
        CONSOLE.print(f"{cell.row}, {cell.setting}: {reason}")
    write_results(ROOT / "results", ROOT / "RESULTS.md")
    return MISSING_DATA if missing else 0


def flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="table1 to table8, tableA, tableB, tableE")
    parser.add_argument("--row", action="append", default=[], help="a gin file of gin/paper/, without its ending")
    parser.add_argument("--setting", action="append", default=[], help="a column of the table, as printed")
    parser.add_argument("--seeds", default="0", help="separated by commas; the paper has three")
    parser.add_argument("--num_updates", type=int, help="instead of the paper's number")
    parser.add_argument("--records_root_dir", help="the folder of data sets, or of records for table3")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "paper")
    parser.add_argument("--device", default="auto")
    return parser


def reproduced(cell: Cell, options: argparse.Namespace) -> str:
    """Trains, evaluates and keeps one cell; returns why not, or nothing."""
    folder = options.runs / cell.folder
    bindings = cell.gin_bindings
    if options.num_updates is not None and cell.trained:
        folder = folder.with_name(f"{folder.name}-{options.num_updates}")
        bindings.append(f"train.num_updates = {options.num_updates}")
    shared = [f"--run_dir={folder}", f"--seeds={options.seeds}", f"--device={options.device}"]
    if options.records_root_dir:
        shared.append(f"--records_root_dir={options.records_root_dir}")
    train = [f"--gin_config=gin/paper/{cell.run}.gin", *(f"--gin_bindings={binding}" for binding in bindings)]
    evaluate = [f"--sources={cell.source}", "--checkpoint=ensemble"]
    for entry, own in (("train", train), ("evaluate", evaluate)):
        if reason := run(f"alfa_md.{entry}", [*own, *shared]):
            return reason
    keep(cell, folder, options.seeds.split(","))
    return ""


def run(module: str, arguments: Sequence[str]) -> str:
    """Runs an entry; returns its one line where it refuses, and raises SystemExit where it is interrupted."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if done.returncode in (0, 2, MISSING_DATA):
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["its data is missing"])[-1]
    print(done.stderr, file=sys.stderr)
    raise SystemExit(done.returncode)


def keep(cell: Cell, folder: Path, seeds: Sequence[str]) -> None:
    """What a reader needs of the runs, in results/: every learner's numbers, and how they came about."""
    runs = [RunDirectory(folder / f"seed{seed}") for seed in seeds]
    files = {"single best": "test.json", "ensemble": "test-ensemble.json"}
    found = {title: [json.loads((each.results / name).read_text()) for each in runs] for title, name in files.items()}
    learners = {
        title: [{key: result["sources"][cell.source].get(key) for key in KEPT} for result in results]
        for title, results in found.items()
    }
    protocol = found["single best"][0]["protocol"]
    spent = [seconds(each) for each in runs]
    content = {"seeds": list(map(int, seeds)), "learners": learners, "unit": protocol["unit"]}
    content |= {"updates": [result["protocol"]["updates"] for result in found["single best"]], "hours": spent}
    content |= {"config": fingerprint(runs[0].config.read_text()), "command": command(cell, seeds)}
    content |= {name: environment()[name] for name in ("machine", "torch")}
    write_json(ensured(ROOT / "results" / cell.file), content)


KEPT = ("mean", "ci95", "episodes", "query_std")


def seconds(run: RunDirectory) -> float:
    """The hours that a run has taken so far, 0 for one without training."""
    lines = run.metrics.read_text().splitlines() if run.metrics.exists() else []
    return max((json.loads(line)["seconds"] for line in lines), default=0.0) / 3600


def command(cell: Cell, seeds: Sequence[str]) -> str:
    return f"scripts/reproduce.sh {cell.table} --row={cell.row} --setting='{cell.setting}' --seeds={','.join(seeds)}"


def ensured(path: Path) -> Path:
    """The path, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def comparison(selected: Sequence[Cell]) -> Table:
    """Published, measured and their difference."""
    table = Table(title=f"{selected[0].table}: the paper's ± are no confidence intervals, except in table3 and table8")
    for heading in ("row", "setting", "paper", "measured, single best", "ensemble", "difference"):
        table.add_column(heading, overflow="fold")
    for cell in selected:
        table.add_row(cell.row, cell.setting, published(cell), *measured(cell), difference(cell))
    return table


if __name__ == "__main__":
    sys.exit(main())
