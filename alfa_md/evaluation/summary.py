"""The table of an evaluation on the terminal, as CSV, and as Markdown with the row of the leaderboard."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from alfa_md.data.roots import Root, announcement
from alfa_md.evaluation.leaderboard import LEADERBOARD, TITLES
from alfa_md.evaluation.ranks import leaderboard_table, ranks_beside, ranks_by_source
from alfa_md.evaluation.tables import (
    UNITS,
    ExtraColumns,
    SourceMeans,
    SourceRecords,
    divergence_note,
    results_csv,
    results_markdown,
    results_table,
    source_means,
    unit_description,
)
from alfa_md.experiment.definition import META_DATASET
from alfa_md.experiment.run_directory import SIZES
from alfa_md.metrics import ACCURACY, Unit
from alfa_md.system.files import write_text
from alfa_md.system.progress import CONSOLE


def write_summary(
    stem: Path, by_learner: Mapping[str, SourceRecords], stamp: dict, trained_on: Sequence[str], show_query_std: bool
) -> None:
    """Prints the table and writes it to stem.csv and stem.md; `stamp` is that of the first learner."""
    unit, root = UNITS[stamp["unit"]], Root(Path(stamp["data_root"]), stamp["data_kind"])
    columns = {title: source_means(records) for title, records in by_learner.items()}
    extra = query_std_columns(by_learner) if show_query_std else {}
    CONSOLE.print(results_table(f"{stamp['split']}: {unit_description(unit)}, 95 % intervals", columns, unit, extra))
    checkpoint = stamp["checkpoint"] if isinstance(stamp["checkpoint"], str) else ", ".join(stamp["checkpoint"])
    origin = f"Config {stamp['config']}, checkpoint {checkpoint}, episode seed {stamp['seed']}."
    origin += f" Sizes: {stamp[SIZES]}." if SIZES in stamp else ""
    stem.parent.mkdir(exist_ok=True)  # a copy of a run may lack it, and all sources may be missing
    write_text(stem.with_name(f"{stem.name}.csv"), results_csv(by_learner, root.kind, unit))
    diverged = divergence_note(columns, unit)
    notes = "\n".join(filter(None, (diverged, announcement(root), origin)))
    ranked = ranked_table(columns, unit, stamp, trained_on)
    write_text(stem.with_name(f"{stem.name}.md"), results_markdown(columns, unit, notes, extra) + ranked)
    CONSOLE.print(f"Results: {stem}.json, .csv, .md")
    for line in filter(None, (diverged, announcement(root))):
        CONSOLE.print(line)


def ranked_table(columns: Mapping[str, SourceMeans], unit: Unit, stamp: dict, trained_on: Sequence[str]) -> str:
    """The results with ranks in the leaderboard's form, below a line that says among whom.

    Test results on the ten sources of Meta-Dataset's records are ranked among the rows of the leaderboard with the same
    training sources, other ones among the learners of the table; empty for one alone.
    """
    rows = LEADERBOARD.get(frozenset(trained_on), {})
    conditions = (stamp["data_kind"], stamp["split"], unit)
    complete = all(set(META_DATASET) <= set(results) for results in columns.values())
    if rows and complete and conditions == ("records", "test", ACCURACY):
        own = {title: {name: results[name] for name in META_DATASET} for title, results in columns.items()}
        among = f"each alone among the {len(rows)} of the leaderboard trained on {TITLES[frozenset(trained_on)]}"
        return f"\nRanks, {among}:\n\n{leaderboard_table(own, ranks_beside(own, rows, unit), unit)}"
    placed = ranks_by_source(columns, unit)
    if len(columns) < 2 or not all(placed.values()):
        return ""
    return f"\nRanks among these {len(columns)}:\n\n{leaderboard_table(columns, placed, unit)}"


def query_std_columns(by_learner: Mapping[str, SourceRecords]) -> ExtraColumns:
    """One column per learner with sqrt(p (1 - p)), which the reference code prints after "±"."""
    return {
        f"{title}: query std (NOT a confidence interval)": {
            source: f"{record['query_std']:.3f}" for source, record in records.items()
        }
        for title, records in by_learner.items()
    }
