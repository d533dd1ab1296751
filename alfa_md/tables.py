"""Results as tables: on the terminal, as CSV and as the row that the Meta-Dataset leaderboard prints."""

import csv
import io
from collections.abc import Iterable, Mapping

from rich.table import Table

from alfa_md.metrics import MeanCI

Column = Mapping[str, MeanCI]  # source -> result


def column(sources: Mapping[str, dict], names: Iterable[str]) -> Column:
    """The results of a results file, for the sources among `names` that it has."""
    records = {name: sources[name] for name in names if name in sources}
    return {name: MeanCI(record["mean"], record["ci95"], record["episodes"]) for name, record in records.items()}


def table(title: str, columns: Mapping[str, Column]) -> Table:
    """Sources down, learners across, `mean±ci` in percent, and the mean over sources below."""
    result = Table(title=title)
    result.add_column("source")
    for name in columns:
        result.add_column(name, justify="right")
    first = next(iter(columns.values()))
    for source in first:
        cells = (column[source].percent() if source in column else "" for column in columns.values())
        result.add_row(source, *cells)
    result.add_section()
    result.add_row("mean", *(f"{100 * mean_over_sources(column):.2f}" for column in columns.values()))
    return result


def mean_over_sources(results: Column) -> float:
    """The unweighted mean of the sources' means."""
    return sum(result.mean for result in results.values()) / max(len(results), 1)


def as_csv(columns: Mapping[str, Column], data_kind: str) -> str:
    """One line a learner and source: learner, source, mean, ci95, episodes, kind of data."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["learner", "source", "mean", "ci95", "episodes", "data"])
    for learner, results in columns.items():
        for source, (mean, ci95, n) in results.items():
            writer.writerow([learner, source, f"{mean:.6f}", f"{ci95:.6f}", n, data_kind])
    return text.getvalue()


def as_markdown(columns: Mapping[str, Column], notes: str) -> str:
    """The leaderboard's rows, one a learner, in the order of its sources."""
    sources = list(next(iter(columns.values())))
    lines = ["| learner | " + " | ".join(sources) + " | mean |", "|---" * (len(sources) + 2) + "|"]
    for learner, results in columns.items():
        cells = [results[source].percent() if source in results else "" for source in sources]
        lines.append(f"| {learner} | " + " | ".join(cells) + f" | {100 * mean_over_sources(results):.2f} |")
    return "\n".join([*lines, "", notes, ""])
