"""The report's section that compares runs with published results and lists the differences in their settings."""

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from alfa_md.evaluation.leaderboard import EPISODES
from alfa_md.evaluation.tables import SourceMeans, mean_over_sources
from alfa_md.experiment.pretraining import SCRATCH
from alfa_md.metrics import ACCURACY, MeanCI
from alfa_md.reporting.elements import Cell, Table
from alfa_md.reporting.published import PUBLISHED, SETTINGS, deviations, published_row
from alfa_md.reporting.results import ResultColumn, mean_cell
from alfa_md.reporting.summary import RunSummary


class PublishedRow(NamedTuple):
    """A published row with the runs of its setting: their results, and by label how their settings differ from it."""

    name: str
    table: Table
    differences: Sequence[tuple[str, Sequence[str]]]


class Published(NamedTuple):
    """The rows that runs are compared with; the labels of runs on the miniature, and of those of no row."""

    rows: Sequence[PublishedRow]
    miniature: Sequence[str]
    without: Sequence[str]


def compare_with_published(runs: Sequence[RunSummary]) -> Published:
    """The test results of these runs beside the published rows of their settings; none on the miniature."""
    rows: dict[str, list[RunSummary]] = {}
    miniature, without = [], []
    for run in (run for run in runs if "" in run.results):
        row = published_row(run.bound)
        if "miniature" in (run.facts.get("data_kind"), run.results[""]["protocol"].get("data_kind")):
            miniature.append(run.label)
        elif row is None:
            without.append(run.label)
        else:
            rows.setdefault(row, []).append(run)
    return Published([_row(row, members) for row, members in rows.items()], miniature, without)


def _row(row: str, runs: Sequence[RunSummary]) -> PublishedRow:
    paper = PUBLISHED[row]
    columns = [ResultColumn(run.label, run.results[""]).results for run in runs]
    cells = [
        (name, [Cell(ACCURACY.text(expected)), *(_result_cell(results.get(name), expected) for results in columns)])
        for name, expected in paper.items()
    ]
    means = [Cell(ACCURACY.number(mean_over_sources(paper))), *(_mean_cell(results, paper) for results in columns)]
    heading = ["source", "published", *(run.label for run in runs)]
    differences = [(run.label, [*deviations(run.bound, row), *_other_differences(run, row)]) for run in runs]
    return PublishedRow(row, Table(heading, cells, means), differences)


def _result_cell(result: MeanCI | None, expected: MeanCI) -> Cell:
    return Cell(ACCURACY.text(result), _points(result.mean - expected.mean)) if result else Cell("")


def _mean_cell(results: SourceMeans, paper: SourceMeans) -> Cell:
    """The mean over the run's sources, and its difference from the published mean over the same sources."""
    common = {name: result for name, result in results.items() if name in paper}
    if not common:
        return Cell("")
    gap = mean_over_sources(common) - mean_over_sources({name: paper[name] for name in common})
    text, remarks, _ = mean_cell(common, len(paper), ACCURACY)
    return Cell(text, [*remarks, *_points(gap)])


def _points(difference: float) -> list[str]:
    """A difference in points, as the remarks of a cell; none for NaN, that of a result without a mean."""
    return [] if isnan(difference) else [f"{100 * difference:+.2f}".replace("-", "−")]


def _other_differences(run: RunSummary, row: str) -> list[str]:
    """Differences from the published setting other than gin bindings: pretraining, updates, number of episodes."""
    found, is_pretraining = [], SETTINGS[row].learner == "BaselineLearner"
    if "pretrained" not in run.facts:
        found.append("the run does not say whether its backbone was pretrained (published: pretrained on ImageNet)")
    elif run.facts["pretrained"] in (None, SCRATCH) and not is_pretraining:
        found.append("trained from scratch (published: from a backbone pretrained on ImageNet)")
    if run.total and run.updates < run.total:
        found.append(f"{run.updates} of {run.total} updates are done")
    fewest = min(record["episodes"] for record in run.results[""]["sources"].values())
    if fewest < EPISODES:
        found.append(f"{fewest} test episodes a source (published: {EPISODES})")
    return found
