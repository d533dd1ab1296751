"""Trains and evaluates cells of the paper's tables, stores the results, and prints them with the published numbers.

    scripts/reproduce.sh table8                             every cell of a table
    scripts/reproduce.sh table1 --row=table1_conv4_alfa_maml --seeds=0,1,2 --records_root_dir=DATA
    scripts/reproduce.sh table8 --num_updates=2 --num_episodes=10 --gin_bindings='alfa.beta_form = @BetaProduct'

Finished work is reused. A cell whose data is missing is reported and skipped before its training. Results under
bindings of your own are stored beside the paper's, under names that tell the bindings, and are in no table.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gin
from rich.console import Console
from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.main import parse_seeds
from alfa_md.system.files import write_json, write_text
from alfa_md.system.progress import format_duration
from alfa_md.system.startup import BAD_INPUT
from scripts.errors import one_line_errors
from scripts.measurement import measurement, refuse_less
from scripts.once import make_parser
from scripts.paper_cells import ROOT, Cell, Variation, read_cells, read_quoted, select_cells
from scripts.paper_table import format_difference, format_measured, format_published, quoted_section
from scripts.results_page import write_results

MISSING_DATA = 3
CONSOLE = Console(width=160, highlight=False)


def main() -> int:
    options = flags().parse_args()
    if others := quoted_section(options.table, [number for number in read_quoted() if number.table == options.table]):
        CONSOLE.print(*others)
    if others and not any(cell.table == options.table for cell in read_cells()):
        return 0
    try:
        if options.num_episodes < 1:
            raise UserError(f"--num_episodes={options.num_episodes}: give at least 1")
        variation = Variation(tuple(options.gin_bindings), tuple(options.pretraining_bindings))
        selected = [
            cell._replace(variation=variation) for cell in select_cells(options.table, options.row, options.setting)
        ]
        for cell in selected:
            refuse_bad_variation(cell)
        options.seeds = parse_seeds(options.seeds.split(","))
    except (ValueError, UserError) as error:
        print("error:", error, file=sys.stderr)
        return BAD_INPUT
    missing, started = {}, time.monotonic()
    for number, cell in enumerate(selected, start=1):
        passed = format_duration(time.monotonic() - started)
        CONSOLE.print(f"{number} of {len(selected)}: {cell.row}, {cell.setting}; {passed} so far")
        if reason := reproduce_cell(cell, options):
            missing[cell] = reason
    CONSOLE.print(comparison_table(selected, options))
    for cell, reason in missing.items():
        CONSOLE.print(f"{cell.row}, {cell.setting}: {reason}")
    if options.results == ROOT / "results":
        write_results(options.results, ROOT)
    return MISSING_DATA if missing else 0


def flags() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument("table", help="table1 to table8, tableA to tableE")
    parser.add_argument("--row", action="append", default=[], help="a gin file of gin/paper/, without its ending")
    parser.add_argument("--setting", action="append", default=[], help="a column of the table, as printed")
    parser.add_argument("--seeds", default="0", help="separated by commas; the paper has three")
    parser.add_argument("--num_updates", type=int, help="instead of the paper's; a pretraining keeps its own number")
    parser.add_argument(
        "--num_episodes", type=int, default=600, help="of every test source, and at most so many of every validation"
    )
    parser.add_argument("--gin_bindings", action="append", default=[], help="of your own; may be repeated")
    parser.add_argument(
        "--pretraining_bindings",
        action="append",
        default=[],
        help="the same for the pretraining before a row of table3",
    )
    parser.add_argument("--records_root_dir", help="the folder of data sets, or of records for table3")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "paper", help="where the run directories are made")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="where the measurements are kept")
    parser.add_argument("--device", default="auto")
    return parser


def budget(cell: Cell, options: argparse.Namespace) -> int | None:
    """The number of updates in --num_updates, None for the paper's."""
    return options.num_updates if cell.trained else None


def reproduce_cell(cell: Cell, options: argparse.Namespace) -> str:
    """Trains and evaluates one cell and stores its result; returns an error message, empty on success."""
    if reason := missing_data(cell, options.records_root_dir):
        return reason
    folder, bindings = plan(cell, options)
    shared = [f"--run_dir={folder}", f"--seeds={','.join(map(str, options.seeds))}", f"--device={options.device}"]
    if options.records_root_dir:
        shared.append(f"--records_root_dir={options.records_root_dir}")
    train = [f"--gin_config={cell.gin_file}", *(f"--gin_bindings={binding}" for binding in bindings)]
    evaluate = [f"--sources={cell.source}", "--checkpoint=ensemble", f"--num_episodes={options.num_episodes}"]
    for entry, own in (("train", train), ("evaluate", evaluate)):
        CONSOLE.print(f"{entry} in {folder}")
        if reason := run(f"alfa_md.{entry}", [*own, *shared]):
            return reason
    stored = options.results / cell.file(budget(cell, options))
    try:
        content = measurement(cell, folder, options)
        refuse_less(content, stored)
    except UserError as error:
        return str(error)
    stored.parent.mkdir(parents=True, exist_ok=True)
    write_json(stored, content)
    CONSOLE.print(f"stored in {stored}")
    return ""


def plan(cell: Cell, options: argparse.Namespace) -> tuple[Path, list[str]]:
    """The folder of a cell's runs and the bindings of its training; writes those of its pretraining to a gin file."""
    updates = budget(cell, options)
    own = [] if updates is None else [f"train.num_updates = {updates}"]
    own += fewer_validations([cell.gin_file], cell.gin_bindings, options.num_episodes)
    pretraining, further = pretraining_files(cell), [*cell.variation.pretraining]
    if pretraining:
        further += fewer_validations(pretraining, further, options.num_episodes)
    episodes = f",{options.num_episodes}" if any("validation" in line for line in own + further) else ""
    folder = options.runs / cell.folder
    folder = folder.with_name(folder.name + ("" if updates is None else f"@{updates}") + episodes).absolute()
    if further:
        file = folder / "pretraining.gin"
        folder.mkdir(parents=True, exist_ok=True)
        write_text(file, "\n".join(further) + "\n")
        own.append(f"PRETRAINED = {(*pretraining, str(file))}")
    return folder, cell.gin_bindings + own


def fewer_validations(files: Sequence[str], bindings: Sequence[str], number: int) -> list[str]:
    """The binding of `number` validation episodes if these files and bindings have more, else none."""
    with parsed(files, bindings):
        stated = gin.query_parameter("train.num_validation_episodes")
    return [f"train.num_validation_episodes = {number}"] if stated > number else []


@contextmanager
def parsed(files: Sequence[str], bindings: Sequence[str]) -> Iterator[None]:
    """Parses these files and bindings for the block. Raises UserError if they are invalid."""
    try:
        config.parse(files, bindings)
        yield
    finally:
        gin.clear_config()


def refuse_bad_variation(cell: Cell) -> None:
    """Raises UserError if bindings of the user's own fit neither the cell's training nor its pretraining."""
    if not cell.variation.suffix:
        return
    pretraining = pretraining_files(cell)
    if cell.variation.pretraining and not pretraining:
        raise UserError(f"--pretraining_bindings: {cell.row} begins with no pretraining; leave them out")
    if pretraining:
        with parsed(pretraining, cell.variation.pretraining):
            pass


def pretraining_files(cell: Cell) -> list[str]:
    """The gin files of the pretraining that a cell's training begins with, empty if there is none."""
    with parsed([cell.gin_file], cell.gin_bindings):
        pretrained = definition.build_experiment(0).pretrained
    names = [pretrained] if isinstance(pretrained, str) else list(pretrained or ())
    return names if all(name.endswith(".gin") for name in names) else []


def missing_data(cell: Cell, folder: str | None) -> str:
    """The error message for data that the cell's training, validation or test lacks, empty if complete."""
    try:
        with parsed([cell.gin_file], cell.gin_bindings):
            made = definition.build_experiment(0)
            root = made.root(folder, None)
            if root.kind == "miniature":
                return "the embedded miniature is no measurement; give --records_root_dir of real records"
            made.training(root.path, 0), made.validation(root.path, 0)
            made.evaluation(root.path, cell.source, "test", 0)
    except UserError as error:
        return str(error).splitlines()[0]
    return ""


def run(module: str, arguments: Sequence[str]) -> str:
    """Runs a command; returns its error line for bad input, else "". Raises SystemExit for any other exit code.

    Waits for an interrupted command, which saves its state first.
    """
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        try:
            _, errors = child.communicate()
        except KeyboardInterrupt:  # the terminal has sent it to the command too
            raise SystemExit(child.wait()) from None
    if child.returncode == BAD_INPUT:
        return errors.strip().splitlines()[-1]
    print(errors, file=sys.stderr, end="")
    if child.returncode:
        raise SystemExit(child.returncode)
    return ""


def comparison_table(selected: Sequence[Cell], options: argparse.Namespace) -> Table:
    """Terminal table of published and measured numbers and their differences."""
    table = Table(title=f"{selected[0].table}: the paper's ± are no confidence intervals, except in table3 and table8")
    for heading in ("row", "setting", "paper", "measured, single best", "ensemble", "difference"):
        table.add_column(heading, overflow="fold")
    for cell in selected:
        here = (cell, options.results, budget(cell, options))
        table.add_row(cell.row, cell.setting, format_published(cell), *format_measured(*here), format_difference(*here))
    return table


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
