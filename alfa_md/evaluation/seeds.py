"""Evaluation of runs that differ only in their seed: one by one, then mean and standard deviation over seeds."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.options import EvaluationOptions
from alfa_md.evaluation.run import RunEvaluation, evaluate_run
from alfa_md.evaluation.tables import (
    UNITS,
    csv_number,
    csv_text,
    divergence_note,
    markdown_table,
    record_mean,
    unit_description,
)
from alfa_md.experiment.config import differences
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import MeanCI, Unit
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import write_json, write_text
from alfa_md.system.progress import CONSOLE

FIELDS = ("learner", "source", "mean", "std", "seeds", "data", "unit", "diverged")


class SeedSpread(NamedTuple):
    """Results of one learner on one source, one per seed; their intervals are over episodes and do not count here."""

    results: list[MeanCI]  # one a seed

    @property
    def means(self) -> list[float]:
        return [result.mean for result in self.results]

    @property
    def mean(self) -> float:
        """The mean over seeds, NaN if one of them has none."""
        return mean(self.means)

    @property
    def std(self) -> float | None:
        """The standard deviation over seeds (ddof 1), None for a single seed."""
        if len(self.means) < 2:
            return None
        return stdev(self.means) if isfinite(self.mean) else nan

    @property
    def total(self) -> MeanCI:
        """The mean over seeds with the episodes of all of them."""
        episodes, diverged = (sum(getattr(each, name) for each in self.results) for name in ("n", "diverged"))
        return MeanCI(self.mean, 0.0, episodes, diverged)

    def text(self, unit: Unit) -> str:
        """Mean and standard deviation; without "±", which denotes intervals over episodes."""
        spread = f" (std {unit.number(self.std)})" if self.std is not None else ""
        return unit.number(self.mean) + spread + self.total.remark

    def content(self) -> dict:
        """The numbers as JSON values, None for those that are not finite."""
        mean, std, *means = (None if x is None or not isfinite(x) else x for x in (self.mean, self.std, *self.means))
        found = [result.diverged for result in self.results]
        return {"mean": mean, "std": std, "means": means} | ({"diverged": found} if any(found) else {})


SeedSpreads = Mapping[str, Mapping[str, SeedSpread]]  # learner -> source -> spread


def evaluate_seeds(
    folder: str, seeds: Sequence[int], options: EvaluationOptions, group: ProcessGroup = SINGLE_PROCESS
) -> int:
    """Evaluates the runs folder/seed<k> one by one, then prints and writes mean and standard deviation over seeds.

    Writes folder/results/<split>-seeds.{json,csv,md}. Returns the exit code. Raises UserError if the runs have
    different configurations.
    """
    runs = {seed: RunDirectory(Path(folder) / f"seed{seed}") for seed in seeds}
    check_same_config(list(runs.values()))
    done = [evaluate_run(run, options, group) for run in runs.values()]
    spreads = spreads_over_seeds(done)
    if group.is_first and any(spreads.values()):
        write_seed_results(RunDirectory(folder).results / f"{done[0].stem}-seeds", list(runs), done, spreads)
    return max(evaluated.exit_code for evaluated in done)


def check_same_config(runs: Sequence[RunDirectory]) -> None:
    """Raises UserError if a run has another configuration than the first."""
    for run in runs:
        run.facts()  # raises UserError if it is not a run directory
        if changed := differences(runs[0].config_text(), run.config_text()):
            raise UserError(f"{run.path} is not {runs[0].path} with another seed: {'; '.join(changed)}")


def spreads_over_seeds(done: Sequence[RunEvaluation]) -> dict[str, dict[str, SeedSpread]]:
    """Spreads by learner and source, for the sources that were evaluated with all seeds."""
    spreads = {}
    for title, *records in zip(done[0].by_learner, *(evaluated.by_learner.values() for evaluated in done), strict=True):
        shared = [name for name in records[0] if all(name in each for each in records)]
        spreads[title] = {name: SeedSpread([record_mean(each[name]) for each in records]) for name in shared}
    return spreads


def write_seed_results(stem: Path, seeds: Sequence[int], done: Sequence[RunEvaluation], spreads: SeedSpreads) -> None:
    """Prints the table and writes it to stem.json, stem.csv and stem.md."""
    protocol = dict(done[0].protocol)
    by_seed = ("checkpoint", "updates", "pretrained", *(("choice", "bindings") if "choice" in protocol else ()))
    for each in by_seed:
        protocol[each] = [evaluated.protocol[each] for evaluated in done]
    unit, kind = UNITS[protocol["unit"]], protocol["data_kind"]
    listed = ", ".join(map(str, seeds))
    title = f"{protocol['split']}: {unit_description(unit)}, mean and standard deviation over seeds {listed}"
    CONSOLE.print(seeds_table(title, spreads, unit))
    learners = {
        learner: {name: spread.content() for name, spread in sources.items()} for learner, sources in spreads.items()
    }
    stem.parent.mkdir(exist_ok=True)
    note = divergence_note({title: {n: s.total for n, s in each.items()} for title, each in spreads.items()}, unit)
    keep_other_seeds(stem.with_name(f"{stem.name}.json"), seeds)
    write_json(stem.with_name(f"{stem.name}.json"), {"protocol": protocol, "seeds": [*seeds], "learners": learners})
    write_text(stem.with_name(f"{stem.name}.csv"), csv_text(FIELDS, csv_lines(spreads, seeds, kind, unit)))
    rows = {learner: [cell.text(unit) for cell in with_mean(sources)] for learner, sources in spreads.items()}
    heading = ["learner", *next(iter(spreads.values())), "mean"]
    table = markdown_table(heading, rows) + (f"\n{note}\n" if note else "")
    write_text(stem.with_name(f"{stem.name}.md"), f"{title}\n\n{table}")
    CONSOLE.print(f"Results: {stem}.json, .csv, .md")
    if note:
        CONSOLE.print(note)


def keep_other_seeds(file: Path, seeds: Sequence[int]) -> None:
    """Renames the file to a numbered name, and says so, unless it is of some of these seeds."""
    try:
        if set(json.loads(file.read_bytes())["seeds"]) <= set(seeds):
            return
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # of something else, which is kept
    free = (file.with_name(f"{file.stem}.{number}.json") for number in range(1, 10**6))
    aside = next(path for path in free if not path.exists())
    file.rename(aside)
    CONSOLE.print(f"{file} was of other seeds; it is kept as {aside.name}")


def csv_lines(spreads: SeedSpreads, seeds: Sequence[int], kind: str, unit: Unit) -> list[dict]:
    """One CSV line per learner and source; means as fractions."""
    fixed = {"seeds": " ".join(map(str, seeds)), "data": kind, "unit": unit.name}
    return [
        {"learner": learner, "source": source, "mean": csv_number(s.mean), "std": csv_number(s.std)}
        | {"diverged": s.total.diverged}
        | fixed
        for learner, sources in spreads.items()
        for source, s in sources.items()
    ]


def seeds_table(title: str, spreads: SeedSpreads, unit: Unit) -> Table:
    """Terminal table with one row per source and one column per learner; the last row is the mean over sources."""
    result = Table(title=title)
    result.add_column("source")
    for learner in spreads:
        result.add_column(learner, justify="right")
    columns = [[cell.text(unit) for cell in with_mean(sources)] for sources in spreads.values()]
    *rows, last = zip([*next(iter(spreads.values())), "mean"], *columns, strict=True)
    for row in rows:
        result.add_row(*row)
    result.add_section()
    result.add_row(*last)
    return result


def with_mean(sources: Mapping[str, SeedSpread]) -> list[SeedSpread]:
    """The spreads of all sources, then the spread of the mean over sources."""
    by_seed = zip(*(spread.means for spread in sources.values()), strict=True)
    return [*sources.values(), SeedSpread([MeanCI(mean(means), 0.0, 0) for means in by_seed])]
