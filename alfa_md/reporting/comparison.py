"""The report's section that compares runs with published results and lists the differences in their settings."""

from collections.abc import Sequence
from math import isnan

from alfa_md.evaluation.leaderboard import EPISODES
from alfa_md.evaluation.tables import SourceMeans, mean_over_sources
from alfa_md.experiment.pretraining import SCRATCH
from alfa_md.metrics import ACCURACY, MeanCI
from alfa_md.reporting.elements import html_table, warning_box, with_line_breaks
from alfa_md.reporting.published import PUBLISHED, SETTINGS, deviations, published_row
from alfa_md.reporting.results import MINIATURE, NO_RESULTS, ResultColumn, mean_cell
from alfa_md.reporting.summary import RunSummary

LEGEND = "<p>Published: the paper's numbers, copied. Small: a run's mean minus the published one, in points.</p>"


def published_section(runs: Sequence[RunSummary]) -> str:
    """One table per published row with the test results of matching runs; results on the miniature are excluded."""
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
    parts = [LEGEND] if rows else []
    parts += [_row(row, members) for row, members in rows.items()]
    if miniature:
        parts.append(warning_box(f"{', '.join(miniature)}: {MINIATURE}"))
    if without:
        names = with_line_breaks(", ".join(without))
        parts.append(f"<p>No paper has a row for the learner, head, rule and training sources of {names}.</p>")
    return "".join(parts) or NO_RESULTS


def _row(row: str, runs: Sequence[RunSummary]) -> str:
    paper = PUBLISHED[row]
    columns = [ResultColumn(run.label, run.results[""]).results for run in runs]
    cells = (
        [name, ACCURACY.text(expected), *(_result_cell(results.get(name), expected) for results in columns)]
        for name, expected in paper.items()
    )
    means = ["mean", ACCURACY.number(mean_over_sources(paper)), *(_mean_cell(results, paper) for results in columns)]
    heading = ["source", "published", *(with_line_breaks(run.label) for run in runs)]
    differing = "".join(_list_differences(run, row) for run in runs)
    return f"<h3>{row}</h3>{html_table(heading, cells, means)}{differing}"


def _result_cell(result: MeanCI | None, expected: MeanCI) -> str:
    return f"{ACCURACY.text(result)} {_points(result.mean - expected.mean)}" if result else ""


def _mean_cell(results: SourceMeans, paper: SourceMeans) -> str:
    """The mean over the run's sources, and its difference from the published mean over the same sources."""
    common = {name: result for name, result in results.items() if name in paper}
    if not common:
        return ""
    gap = mean_over_sources(common) - mean_over_sources({name: paper[name] for name in common})
    return f"{mean_cell(common, len(paper), ACCURACY)} {_points(gap)}"


def _points(difference: float) -> str:
    """A difference in points as HTML; empty for NaN, that of a result without a mean."""
    if isnan(difference):
        return ""
    return f"<small>{100 * difference:+.2f}</small>".replace("-", "−")


def _list_differences(run: RunSummary, row: str) -> str:
    """The differences of a run from the published setting, as HTML."""
    found = [*deviations(run.bound, row), *_other_differences(run, row)]
    if not found:
        return f"<p>{with_line_breaks(run.label)} has the settings of the published row.</p>"
    items = "".join(f"<li>{with_line_breaks(item)}</li>" for item in found)
    return warning_box(f"{run.label} is not the published setting:") + f"<ul>{items}</ul>"


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
