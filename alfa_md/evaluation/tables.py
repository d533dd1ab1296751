"""Tables of results: for the terminal, as CSV, and as Markdown rows in the order of the Meta-Dataset leaderboard."""

import csv
import io
import math
from collections.abc import Iterable, Mapping

from rich.table import Table

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, Unit

UNITS = {unit.name: unit for unit in (ACCURACY, SQUARED_ERROR)}  # by the name that results files hold
FIELDS = ("learner", "source", "mean", "ci95", "episodes", "data", "unit", "query_std", "diverged")
FORMULA = ("=", "+", "-", "@")  # with which a cell begins that a spreadsheet computes

SourceRecords = Mapping[str, dict]  # source -> its record in a results file
SourceMeans = Mapping[str, MeanCI]  # source -> mean and interval
ExtraColumns = Mapping[str, Mapping[str, str]]  # heading -> source -> text


def unit_description(unit: Unit) -> str:
    """The unit for the title of a table: `accuracy in percent` or `squared error`."""
    return f"{unit.name} in percent" if unit.symbol == "%" else unit.name


def select_records(sources: SourceRecords, names: Iterable[str]) -> SourceRecords:
    """The records of the sources in `names` that are present, in the order of `names`."""
    return {name: sources[name] for name in names if name in sources}


def source_means(records: SourceRecords) -> SourceMeans:
    """Mean and interval of every source in `records`."""
    return {name: record_mean(record) for name, record in records.items()}


def record_mean(record: Mapping) -> MeanCI:
    """Mean and interval of a source by its record in a results file."""
    mean, ci95 = (math.nan if record[key] is None else record[key] for key in ("mean", "ci95"))
    return MeanCI(mean, ci95, record["episodes"], len(record.get("diverged") or ()))


def results_table(
    title: str, columns: Mapping[str, SourceMeans], unit: Unit, extra: ExtraColumns | None = None
) -> Table:
    """Terminal table of `mean±ci` with one row per source, one column per learner, and extra columns on the right.

    The last row is the mean over sources.
    """
    extra, result = extra or {}, Table(title=title)
    result.add_column("source")
    for name in (*columns, *extra):
        result.add_column(name, justify="right")
    for source in next(iter(columns.values())):
        cells = (unit.text(results[source]) if source in results else "" for results in columns.values())
        result.add_row(source, *cells, *(texts.get(source, "") for texts in extra.values()))
    result.add_section()
    result.add_row("mean", *mean_texts(columns, unit))
    return result


def mean_texts(columns: Mapping[str, SourceMeans], unit: Unit) -> list[str]:
    """The mean of every column; one that lacks sources of the first says how many it is over."""
    number = len(next(iter(columns.values())))
    return [
        unit.number(mean_over_sources(results))
        + ("" if len(results) == number else f" over {len(results)} of {number}")
        for results in columns.values()
    ]


def mean_over_sources(results: SourceMeans) -> float:
    """The unweighted mean over sources; NaN if there is none, or one without a mean."""
    return sum(result.mean for result in results.values()) / len(results) if results else math.nan


def divergence_note(columns: Mapping[str, SourceMeans], unit: Unit) -> str:
    """How episodes that diverged count, for below a table; empty if there are none."""
    found = any(result.diverged for results in columns.values() for result in results.values())
    return unit.rule if found else ""


def results_csv(measured: Mapping[str, SourceRecords], data_kind: str, unit: Unit) -> str:
    """CSV with one line per learner and source: mean and interval as fractions, kind of data, and query_std if any."""
    lines = []
    for learner, records in measured.items():
        for source, record in records.items():
            line = {"learner": learner, "source": source, "episodes": record["episodes"]}
            line["diverged"] = len(record.get("diverged", ()))
            numbers = {name: csv_number(record.get(name)) for name in ("mean", "ci95", "query_std")}
            lines.append(line | numbers | {"data": data_kind, "unit": unit.name})
    return csv_text(FIELDS, lines)


def csv_text(fields: Iterable[str], lines: Iterable[Mapping[str, object]]) -> str:
    """CSV with a heading; values missing from a line are left empty, and no text is a formula of a spreadsheet."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: without_formula(value) for name, value in line.items()} for line in lines)
    return text.getvalue()


def csv_number(value: float | None) -> str:
    """A number with six digits; empty if there is none or it is not finite."""
    return f"{value:.6f}" if value is not None and math.isfinite(value) else ""


def without_formula(value: object) -> object:
    """The value, its text in one line and preceded by an apostrophe if a spreadsheet would compute it.

    Numbers stay as they are.
    """
    if not isinstance(value, str):
        return value
    text = "".join(c if c.isprintable() else " " for c in value)
    if not text.lstrip().startswith(FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def results_markdown(
    columns: Mapping[str, SourceMeans], unit: Unit, notes: str, extra: ExtraColumns | None = None
) -> str:
    """Markdown table with one row per learner and one column per source; extra columns become rows below."""
    sources = list(next(iter(columns.values())))
    rows = {
        learner: [*(unit.text(results[source]) if source in results else "" for source in sources), mean]
        for (learner, results), mean in zip(columns.items(), mean_texts(columns, unit), strict=True)
    }
    rows |= {name: [*(texts.get(source, "") for source in sources), ""] for name, texts in (extra or {}).items()}
    return markdown_table(["learner", *sources, "mean"], rows) + f"\n{notes}\n"


def markdown_table(heading: Iterable[str], rows: Mapping[str, Iterable[str]]) -> str:
    """A Markdown table; the keys of `rows` are the cells of the first column."""
    heading = list(heading)
    lines = [markdown_row(heading), "|---" * len(heading) + "|"]
    return "\n".join([*lines, *(markdown_row([name, *cells]) for name, cells in rows.items()), ""])


def markdown_row(cells: Iterable[str]) -> str:
    """A line of a Markdown table; a cell cannot end itself or the line."""
    return f"| {' | '.join(' '.join(cell.replace('|', '&#124;').split()) for cell in cells)} |"
