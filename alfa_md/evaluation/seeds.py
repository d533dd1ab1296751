"""Runs that differ in their seed alone: each evaluated by itself, then mean and standard deviation over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.run import Evaluated, Options, evaluate_run
from alfa_md.evaluation.tables import UNITS, csv_text, in_words, markdown_table
from alfa_md.experiment.config import differences
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import Unit
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import write_json, write_text
from alfa_md.system.progress import CONSOLE

FIELDS = ("learner", "source", "mean", "std", "seeds", "data", "unit")


class Spread(NamedTuple):
    """What one source gave over the seeds."""

    means: list[float]  # one a seed

    @property
    def mean(self) -> float:
        return mean(self.means)

    @property
    def std(self) -> float | None:
        """The standard deviation over seeds (with n - 1); None of a single one."""
        return stdev(self.means) if len(self.means) > 1 else None

    def text(self, unit: Unit) -> str:
        """Mean and deviation; no "±", which stands for intervals over episodes."""
        return unit.number(self.mean) + (f" (std {unit.number(self.std)})" if self.std is not None else "")


Spreads = Mapping[str, Mapping[str, Spread]]  # learner -> source -> spread


def evaluate_seeds(folder: str, seeds: Sequence[int], options: Options, group: ProcessGroup = SINGLE_PROCESS) -> int:
    """Evaluates the runs folder/seed<k>, one after another, prints mean and deviation over them, and writes those.

    Their files are folder/results/<split>-seeds.{json,csv,md}. Returns the exit code; raises UserError where the runs
    are not of one configuration.
    """
    runs = {seed: RunDirectory(Path(folder) / f"seed{seed}") for seed in seeds}
    refuse_unlike(list(runs.values()))
    done = [evaluate_run(run, options, group) for run in runs.values()]
    spreads = over_seeds(done)
    if group.is_first and any(spreads.values()):
        publish(RunDirectory(folder).results / f"{done[0].stem}-seeds", list(runs), done, spreads)
    return max(evaluated.code for evaluated in done)


def refuse_unlike(runs: Sequence[RunDirectory]) -> None:
    """Raises UserError where there is a run of another configuration than the first."""
    for run in runs:
        run.facts()  # complains where it is no run directory
        if changed := differences(runs[0].config.read_text(), run.config.read_text()):
            raise UserError(f"{run.path} is not {runs[0].path} with another seed: {'; '.join(changed)}")


def over_seeds(done: Sequence[Evaluated]) -> dict[str, dict[str, Spread]]:
    """The spread of every learner on the sources that it was measured on with all seeds."""
    spreads = {}
    for title, *records in zip(done[0].measured, *(evaluated.measured.values() for evaluated in done), strict=True):
        shared = [name for name in records[0] if all(name in each for each in records)]
        spreads[title] = {name: Spread([each[name]["mean"] for each in records]) for name in shared}
    return spreads


def publish(stem: Path, seeds: Sequence[int], done: Sequence[Evaluated], spreads: Spreads) -> None:
    """Prints the table and writes stem.json, .csv and .md."""
    protocol = dict(done[0].protocol)
    for each in ("checkpoint", "updates", "pretrained"):
        protocol[each] = [evaluated.protocol[each] for evaluated in done]
    unit, kind = UNITS[protocol["unit"]], protocol["data_kind"]
    listed = ", ".join(map(str, seeds))
    title = f"{protocol['split']}: {in_words(unit)}, mean and standard deviation over seeds {listed}"
    CONSOLE.print(table(title, spreads, unit))
    learners = {
        learner: {name: {"mean": s.mean, "std": s.std, "means": s.means} for name, s in sources.items()}
        for learner, sources in spreads.items()
    }
    stem.parent.mkdir(exist_ok=True)
    write_json(stem.with_name(f"{stem.name}.json"), {"protocol": protocol, "seeds": [*seeds], "learners": learners})
    write_text(stem.with_name(f"{stem.name}.csv"), csv_text(FIELDS, lines(spreads, seeds, kind, unit)))
    rows = {learner: [cell.text(unit) for cell in cells(sources)] for learner, sources in spreads.items()}
    heading = ["learner", *next(iter(spreads.values())), "mean"]
    write_text(stem.with_name(f"{stem.name}.md"), f"{title}\n\n{markdown_table(heading, rows)}")
    CONSOLE.print(f"Results: {stem}.json, .csv, .md")


def lines(spreads: Spreads, seeds: Sequence[int], kind: str, unit: Unit) -> list[dict]:
    """One a learner and source, as fractions."""
    fixed = {"seeds": " ".join(map(str, seeds)), "data": kind, "unit": unit.name}
    return [
        {"learner": learner, "source": source, "mean": f"{s.mean:.6f}"}
        | ({} if s.std is None else {"std": f"{s.std:.6f}"})
        | fixed
        for learner, sources in spreads.items()
        for source, s in sources.items()
    ]


def table(title: str, spreads: Spreads, unit: Unit) -> Table:
    """Sources down, learners across, and the mean over sources below."""
    result = Table(title=title)
    result.add_column("source")
    for learner in spreads:
        result.add_column(learner, justify="right")
    columns = [[cell.text(unit) for cell in cells(sources)] for sources in spreads.values()]
    *rows, last = zip([*next(iter(spreads.values())), "mean"], *columns, strict=True)
    for row in rows:
        result.add_row(*row)
    result.add_section()
    result.add_row(*last)
    return result


def cells(sources: Mapping[str, Spread]) -> list[Spread]:
    """The sources' spreads, and that of the mean over sources."""
    means = zip(*(spread.means for spread in sources.values()), strict=True)
    return [*sources.values(), Spread([mean(values) for values in means])]
