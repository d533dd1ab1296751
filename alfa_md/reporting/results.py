"""The section of a report with the test results of all runs and their baselines."""

from collections.abc import Sequence
from typing import NamedTuple

from alfa_md.evaluation.comparison import EPISODE_KEYS, unit_of
from alfa_md.evaluation.tables import SourceMeans, mean_over_sources, select_records, source_means, unit_description
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import MeanCI, Unit
from alfa_md.reporting.elements import breakable, html_table, loud
from alfa_md.reporting.summary import RunSummary

MINIATURE = (
    "Embedded miniature data: drawn by this package, NOT Meta-Dataset. Its accuracies compare with no published number."
)
NO_RESULTS = "<p>No test results yet: <code>python -m alfa_md.evaluate --run_dir=RUN</code> measures them.</p>"
NOT_ONE_TABLE = "<p>The following tables do not compare with one another: their episodes are not the same.</p>"


class Entry(NamedTuple):
    """One column: a run or one of its baselines."""

    title: str
    content: dict  # of the results file

    @property
    def results(self) -> SourceMeans:
        """The results in the order of the benchmark, other sources after them."""
        sources = self.content["sources"]
        return source_means(select_records(sources, dict.fromkeys((*META_DATASET, *sources))))


def results_section(runs: Sequence[RunSummary]) -> str:
    """A table for every set of results on the same episodes; bold is the best mean of a source."""
    groups: list[list[Entry]] = []
    for entry in entries(runs):
        same = (group for group in groups if all(comparable(entry.content, other.content) for other in group))
        group = next(same, None)
        if group is None:
            groups.append(group := [])
        group.append(entry)
    tables = "".join(_conditions(group) + _table(group) for group in groups)
    return (NOT_ONE_TABLE if len(groups) > 1 else "") + (tables or NO_RESULTS)


def entries(runs: Sequence[RunSummary]) -> list[Entry]:
    """The runs' own results, then their baselines."""
    own = [Entry(run.label, run.results[""]) for run in runs if "" in run.results]
    names = dict.fromkeys(name for run in runs for name in run.results if name)
    return own + [entry for name in names for entry in _baselines(name, runs)]


def _baselines(name: str, runs: Sequence[RunSummary]) -> list[Entry]:
    """A baseline of every run, or one for all where they have the same numbers."""
    found = [Entry(f"{run.label}: {name}", run.results[name]) for run in runs if name in run.results]
    same = all(entry.content["sources"] == found[0].content["sources"] for entry in found)
    return [Entry(name, found[0].content)] if same and (len(found) > 1 or len(runs) == 1) else found


def comparable(a: dict, b: dict) -> bool:
    """Whether two results are of the same episodes: split, seed, sampling, unit, and data of the sources of both."""
    if any(a["protocol"].get(key) != b["protocol"].get(key) for key in (*EPISODE_KEYS, "data_kind")):
        return False
    common = a["sources"].keys() & b["sources"].keys()
    return all(a["sources"][name]["data"] == b["sources"][name]["data"] for name in common)


def _table(group: Sequence[Entry]) -> str:
    columns, unit = [entry.results for entry in group], unit_of(group[0].content)
    sources = list(dict.fromkeys(name for results in columns for name in results))
    rows = []
    for source in sources:
        means = [results[source].mean for results in columns if source in results]
        best = max(means, key=lambda mean: unit.sign * mean) if len(group) > 1 else None
        rows.append([breakable(source), *(_cell(results.get(source), best, unit) for results in columns)])
    means = ["mean", *(mean_cell(results, len(sources), unit) for results in columns)]
    return html_table(["source", *(breakable(entry.title) for entry in group)], rows, means)


def _cell(result: MeanCI | None, best: float | None, unit: Unit) -> str:
    if result is None:
        return ""
    return f"<b>{unit.text(result)}</b>" if result.mean == best else unit.text(result)


def mean_cell(results: SourceMeans, number: int, unit: Unit) -> str:
    """The mean over sources, and of how many where it is not all `number`."""
    part = "" if len(results) == number else f" <small>over {len(results)} of {number}</small>"
    return f"{unit.number(mean_over_sources(results))}{part}"


def _conditions(group: Sequence[Entry]) -> str:
    """What the numbers of a table were measured on, loud where it is the miniature."""
    protocol, scale = group[0].content["protocol"], unit_description(unit_of(group[0].content)).capitalize()
    counts = {result.n for entry in group for result in entry.results.values()}
    episodes = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    warning = loud(MINIATURE) if protocol.get("data_kind") == "miniature" else ""
    bold = " Bold: the best mean of a source, whether or not the intervals overlap." if len(group) > 1 else ""
    return (
        f"{warning}<p>{scale}, mean ± 95 % interval over {episodes} {breakable(str(protocol['split']))} "
        f"episodes a source (episode seed {breakable(str(protocol['seed']))}).{bold}</p>"
    )
