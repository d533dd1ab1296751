"""Results as tables: on the terminal, as CSV and as the row that the Meta-Dataset leaderboard prints."""

import csv
import io
from collections.abc import Iterable, Mapping

from rich.table import Table

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, Unit

UNITS = {unit.name: unit for unit in (ACCURACY, SQUARED_ERROR)}  # by the name that results files hold
FIELDS = ("learner", "source", "mean", "ci95", "episodes", "data", "unit", "query_std")

Records = Mapping[str, dict]  # source -> what a results file holds of it
Column = Mapping[str, MeanCI]  # source -> result
Further = Mapping[str, Mapping[str, str]]  # heading -> source -> text


def in_words(unit: Unit) -> str:
    """What the numbers of a table are, for its title: accuracy in percent, squared error."""
    return f"{unit.name} in percent" if unit.symbol == "%" else unit.name


def picked(sources: Records, names: Iterable[str]) -> Records:
    """The records of a results file, for the sources among `names` that it has, in the order of `names`."""
    return {name: sources[name] for name in names if name in sources}


def column(records: Records) -> Column:
    """The results in records."""
    return {name: MeanCI(record["mean"], record["ci95"], record["episodes"]) for name, record in records.items()}


def table(title: str, columns: Mapping[str, Column], unit: Unit, further: Further | None = None) -> Table:
    """Sources down, learners across, `mean±ci` in the unit, and the mean over sources below; `further` on the right."""
    further, result = further or {}, Table(title=title)
    result.add_column("source")
    for name in (*columns, *further):
        result.add_column(name, justify="right")
    for source in next(iter(columns.values())):
        cells = (unit.text(results[source]) if source in results else "" for results in columns.values())
        result.add_row(source, *cells, *(texts.get(source, "") for texts in further.values()))
    result.add_section()
    result.add_row("mean", *(unit.number(mean_over_sources(results)) for results in columns.values()))
    return result


def mean_over_sources(results: Column) -> float:
    """The unweighted mean of the sources' means."""
    return sum(result.mean for result in results.values()) / max(len(results), 1)


def as_csv(measured: Mapping[str, Records], data_kind: str, unit: Unit) -> str:
    """One line a learner and source: mean and interval as fractions, what they were measured on, and query_std."""
    lines = []
    for learner, records in measured.items():
        for source, record in records.items():
            line = {"learner": learner, "source": source, "episodes": record["episodes"]}
            numbers = {name: f"{record[name]:.6f}" for name in ("mean", "ci95", "query_std") if name in record}
            lines.append(line | numbers | {"data": data_kind, "unit": unit.name})
    return csv_text(FIELDS, lines)


def csv_text(fields: Iterable[str], lines: Iterable[Mapping[str, object]]) -> str:
    """Lines of named values under their heading; what a line has not is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def as_markdown(columns: Mapping[str, Column], unit: Unit, notes: str, further: Further | None = None) -> str:
    """The leaderboard's rows, one a learner, in the order of its sources; `further` below them."""
    sources = list(next(iter(columns.values())))
    rows = {
        learner: [unit.text(results[source]) if source in results else "" for source in sources]
        + [unit.number(mean_over_sources(results))]
        for learner, results in columns.items()
    }
    rows |= {name: [*(texts.get(source, "") for source in sources), ""] for name, texts in (further or {}).items()}
    return markdown_table(["learner", *sources, "mean"], rows) + f"\n{notes}\n"


def markdown_table(heading: Iterable[str], rows: Mapping[str, Iterable[str]]) -> str:
    """Rows by their first cell, under a heading."""
    heading = list(heading)
    lines = [f"| {' | '.join(heading)} |", "|---" * len(heading) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join([name, *cells])} |" for name, cells in rows.items()), ""])
