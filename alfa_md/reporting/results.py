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
from alfa_md.reporting.elements import html_table, warning_box, with_line_breaks
from alfa_md.reporting.summary import RunSummary

MINIATURE = (
    "Embedded miniature data: drawn by this package, NOT Meta-Dataset. Its accuracies compare with no published number."
)
NO_RESULTS = "<p>No test results yet: <code>python -m alfa_md.evaluate --run_dir=RUN</code> measures them.</p>"
RANKS = (
    "Average rank: as on Meta-Dataset's leaderboard, over the sources that all have; results within the interval of "
    "their difference from the best tie and share their ranks."
)
NOT_ONE_TABLE = "<p>The following tables do not compare with one another: their episodes are not the same.</p>"


class ResultColumn(NamedTuple):
    """One column of a results table: a run or one of its baselines."""

    title: str
    content: dict  # of the results file

    @property
    def results(self) -> SourceMeans:
        """Mean and interval by source, in the order of the benchmark, followed by other sources."""
        sources = self.content["sources"]
        return source_means(select_records(sources, dict.fromkeys((*META_DATASET, *sources))))


def results_section(runs: Sequence[RunSummary]) -> str:
    """One table per group of results on the same episodes; the best mean of a source is bold."""
    groups: list[list[ResultColumn]] = []
    for entry in result_columns(runs):
        same = (group for group in groups if all(same_episodes(entry.content, other.content) for other in group))
        group = next(same, None)
        if group is None:
            groups.append(group := [])
        group.append(entry)
    tables = "".join(_conditions(group) + _table(group) for group in groups)
    return (NOT_ONE_TABLE if len(groups) > 1 else "") + (tables or NO_RESULTS)


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


def _table(group: Sequence[ResultColumn]) -> str:
    columns, unit = [entry.results for entry in group], unit_of(group[0].content)
    sources = list(dict.fromkeys(name for results in columns for name in results))
    rows = []
    for source in sources:
        means = [unit.rank(results[source]) for results in columns if source in results]
        known = [mean for mean in means if isfinite(mean)]
        best = max(known, key=lambda mean: unit.sign * mean) if len(group) > 1 and known else None
        rows.append([with_line_breaks(source), *(_cell(results.get(source), best, unit) for results in columns)])
    if placed := average_ranks({str(number): results for number, results in enumerate(columns)}, unit):
        rows.append(["average rank", *(f"{rank:.2f}" for rank in placed.values())])
    means = ["mean", *(mean_cell(results, len(sources), unit) for results in columns)]
    return html_table(["source", *(with_line_breaks(entry.title) for entry in group)], rows, means)


def _cell(result: MeanCI | None, best: float | None, unit: Unit) -> str:
    if result is None:
        return ""
    return f"<b>{unit.text(result)}</b>" if unit.rank(result) == best else unit.text(result)


def mean_cell(results: SourceMeans, number: int, unit: Unit) -> str:
    """The mean over sources, with their count if it is less than `number`."""
    part = "" if len(results) == number else f" <small>over {len(results)} of {number}</small>"
    return f"{unit.number(mean_over_sources(results))}{part}"


def _conditions(group: Sequence[ResultColumn]) -> str:
    """The caption of a table: unit, episodes, split and seed, with a warning for the miniature."""
    protocol, unit = group[0].content["protocol"], unit_of(group[0].content)
    scale = unit_description(unit).capitalize()
    counts = {result.n for entry in group for result in entry.results.values()}
    episodes = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    warning = warning_box(MINIATURE) if protocol.get("data_kind") == "miniature" else ""
    bold = f" Bold: the best mean of a source, whether or not the intervals overlap. {RANKS}" if len(group) > 1 else ""
    diverged = divergence_note({entry.title: entry.results for entry in group}, unit)
    return (
        f"{warning}<p>{scale}, mean ± 95 % interval over {episodes} {with_line_breaks(str(protocol['split']))} "
        f"episodes a source (episode seed {with_line_breaks(str(protocol['seed']))}).{bold}</p>"
        + _unpaired(group)
        + (warning_box(diverged) if diverged else "")
    )


def _unpaired(group: Sequence[ResultColumn]) -> str:
    """A warning if the columns are not of the same episodes although their stamps agree."""
    readers = {reader(record["data"]) for entry in group for record in entry.content["sources"].values()}
    if UNPAIRED not in readers:
        return ""
    return warning_box("Read by the official reader, which draws other episodes in every evaluation: NOT paired.")
