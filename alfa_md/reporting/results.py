"""The report's section with the test results of all runs and their baselines."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from alfa_md.evaluation.comparison import unit_of
from alfa_md.evaluation.pairing import EPISODE_KEYS, UNPAIRED, reader
from alfa_md.evaluation.ranks import average_ranks
from alfa_md.evaluation.tables import (
    SourceMeans,
    divergence_note,
    mean_over_sources,
    select_records,
    source_means,
    unit_description,
)
from alfa_md.experiment.data_record import same_data
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import MeanCI, Unit
from alfa_md.reporting.elements import Cell, Table
from alfa_md.reporting.summary import RunSummary

MINIATURE = (
    "Embedded miniature data: drawn by this package, NOT Meta-Dataset. Its accuracies compare with no published number."
)
UNPAIRED_WARNING = "Read by the official reader, which draws other episodes in every evaluation: NOT paired."


class ResultColumn(NamedTuple):
    """One column of a results table: a run or one of its baselines."""

    title: str
    content: dict  # of the results file

    @property
    def results(self) -> SourceMeans:
        """Mean and interval by source, in the order of the benchmark, followed by other sources."""
        sources = self.content["sources"]
        return source_means(select_records(sources, dict.fromkeys((*META_DATASET, *sources))))


class ResultTable(NamedTuple):
    """A table of results on the same episodes, and the conditions that its caption states."""

    table: Table
    scale: str
    episodes: str
    split: str
    seed: str
    is_miniature: bool
    warnings: Sequence[str]


def result_tables(runs: Sequence[RunSummary]) -> list[ResultTable]:
    """One table per group of results on the same episodes; the best mean of a source is marked."""
    groups: list[list[ResultColumn]] = []
    for entry in result_columns(runs):
        same = (group for group in groups if all(same_episodes(entry.content, other.content) for other in group))
        group = next(same, None)
        if group is None:
            groups.append(group := [])
        group.append(entry)
    return [_result_table(group) for group in groups]


def result_columns(runs: Sequence[RunSummary]) -> list[ResultColumn]:
    """The columns of all runs, then those of their baselines."""
    own = [ResultColumn(run.label, run.results[""]) for run in runs if "" in run.results]
    names = dict.fromkeys(name for run in runs for name in run.results if name)
    return own + [entry for name in names for entry in _baselines(name, runs)]


def _baselines(name: str, runs: Sequence[RunSummary]) -> list[ResultColumn]:
    """One column of a baseline per run, or a single one if all runs have the same numbers."""
    found = [ResultColumn(f"{run.label}: {name}", run.results[name]) for run in runs if name in run.results]
    same = all(entry.content["sources"] == found[0].content["sources"] for entry in found)
    return [ResultColumn(name, found[0].content)] if same and (len(found) > 1 or len(runs) == 1) else found


def same_episodes(a: dict, b: dict) -> bool:
    """True if two results agree in split, seed, sampling, unit and kind of data, and in the data of common sources."""
    if any(a["protocol"].get(key) != b["protocol"].get(key) for key in (*EPISODE_KEYS, "data_kind")):
        return False
    common = a["sources"].keys() & b["sources"].keys()
    return all(same_data(a["sources"][name]["data"], b["sources"][name]["data"]) for name in common)


def _result_table(group: Sequence[ResultColumn]) -> ResultTable:
    protocol, unit = group[0].content["protocol"], unit_of(group[0].content)
    counts = {result.n for entry in group for result in entry.results.values()}
    diverged = divergence_note({entry.title: entry.results for entry in group}, unit)
    return ResultTable(
        table=_table(group, unit),
        scale=unit_description(unit).capitalize(),
        episodes=" to ".join(str(count) for count in sorted({min(counts), max(counts)})),
        split=protocol["split"],
        seed=protocol["seed"],
        is_miniature=protocol.get("data_kind") == "miniature",
        warnings=[text for text in (UNPAIRED_WARNING if _is_unpaired(group) else "", diverged) if text],
    )


def _table(group: Sequence[ResultColumn], unit: Unit) -> Table:
    columns = [entry.results for entry in group]
    sources = list(dict.fromkeys(name for results in columns for name in results))
    rows = []
    for source in sources:
        means = [unit.rank(results[source]) for results in columns if source in results]
        known = [mean for mean in means if isfinite(mean)]
        best = max(known, key=lambda mean: unit.sign * mean) if len(group) > 1 and known else None
        rows.append((source, [_cell(results.get(source), best, unit) for results in columns]))
    if placed := average_ranks({str(number): results for number, results in enumerate(columns)}, unit):
        rows.append(("average rank", [Cell(f"{rank:.2f}") for rank in placed.values()]))
    means = [mean_cell(results, len(sources), unit) for results in columns]
    return Table(["source", *(entry.title for entry in group)], rows, means)


def _cell(result: MeanCI | None, best: float | None, unit: Unit) -> Cell:
    return Cell(unit.text(result), is_best=unit.rank(result) == best) if result else Cell("")


def mean_cell(results: SourceMeans, number: int, unit: Unit) -> Cell:
    """The mean over sources, with their count if it is less than `number`."""
    part = [] if len(results) == number else [f"over {len(results)} of {number}"]
    return Cell(unit.number(mean_over_sources(results)), part)


def _is_unpaired(group: Sequence[ResultColumn]) -> bool:
    """True if the columns are not of the same episodes although their stamps agree."""
    return UNPAIRED in {reader(record["data"]) for entry in group for record in entry.content["sources"].values()}
