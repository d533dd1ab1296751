"""Differences of two results on one source: paired episode by episode where both are of the same episodes."""

from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation.episodes_fingerprint import KEY
from alfa_md.evaluation.tables import record_mean
from alfa_md.experiment.data_record import same_data
from alfa_md.metrics import ACCURACY, MeanCI, Unit, paired_difference, unpaired_difference

EPISODE_KEYS = ("split", "seed", "sampling", "unit")  # of the protocol; equal if two results are of the same episodes
PIXEL_KEYS = ("decoder", "image_size", "cache", "transform")  # of a data stamp: which images are drawn is up to others
OWN, UNPAIRED = "alfa_md", "official"  # readers; the official one draws other images in every evaluation


class ComparisonRow(NamedTuple):
    """Comparison on one source: both means and their difference a - b, in `unit`; `notes` say what is unusual."""

    source: str
    a: MeanCI
    b: MeanCI
    difference: MeanCI
    unit: Unit = ACCURACY
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`win` or `loss` of a, `tie` if the interval of the difference contains 0, `none` if episodes are left out."""
        if self.unit.diverged is None and (self.a.diverged or self.b.diverged):
            return "none"
        if abs(self.difference.mean) <= self.difference.ci95:
            return "tie"
        return "win" if self.unit.sign * self.difference.mean > 0 else "loss"


def require_same_protocol(a: dict, b: dict) -> None:
    """Raises UserError if two protocols are not of the same episodes."""
    for key in EPISODE_KEYS:
        if a[key] != b[key]:
            raise UserError(f"not the same episodes: {key} is {a[key]} in A and {b[key]} in B")


def compare_records(name: str, a: dict, b: dict, unit: Unit) -> ComparisonRow:
    """The comparison of two records of the source `name`. Raises UserError if they are of different data or length."""
    readers = [reader(record["data"]) for record in (a, b)]
    if not same_data(data_identity(a["data"]), data_identity(b["data"])):
        read = "" if len(set(readers)) == 1 else f" ({readers[0]} reads A, {readers[1]} reads B)"
        raise UserError(
            f"not the same episodes: {name} comes from different data in A and B{read}; evaluate on one root"
        )
    if UNPAIRED in readers:
        row = ComparisonRow(name, *map(record_mean, (a, b)), unpaired_difference(*map(record_mean, (a, b))), unit)
        return row._replace(notes=(unpaired_note(name, readers), *divergence_notes(row, row.a.n + row.b.n)))
    if len(set(readers)) > 1:
        raise UserError(f"not the same episodes: {name} is read by {readers[0]} in A and by {readers[1]} in B")
    if a["episodes"] != b["episodes"]:
        raise UserError(f"{name}: {a['episodes']} episodes in A and {b['episodes']} in B; evaluate equally many")
    prints = [record.get(KEY) for record in (a, b)]
    if None not in prints and prints[0] != prints[1]:
        raise UserError(
            f"not the same episodes: {name} has the fingerprint {prints[0]} in A and {prints[1]} in B; evaluate both "
            "with one version of this package"
        )
    pairs = counted_pairs(a["scores"], b["scores"], unit)
    difference = paired_difference(*zip(*pairs, strict=True)) if pairs else MeanCI(float("nan"), float("nan"), 0)
    row = ComparisonRow(name, record_mean(a), record_mean(b), difference, unit)
    return row._replace(notes=divergence_notes(row, len(pairs)))


def reader(data: dict) -> str:
    """The reader of a source, by its data stamp: `alfa_md`, `official` or `dumped`."""
    return str(data.get("reader", OWN))


def data_identity(data: dict) -> dict:
    """The part of a data stamp that determines which examples there are; the reader and the pixels are left out."""
    return {name: value for name, value in data.items() if name not in (*PIXEL_KEYS, "reader")}


def counted_pairs(a: list, b: list, unit: Unit) -> list[tuple[float, float]]:
    """The scores of the episodes that count for both; a diverged one has the unit's score for it, if there is one."""
    pairs = zip(*([unit.diverged if score is None else score for score in scores] for scores in (a, b)), strict=True)
    return [pair for pair in pairs if None not in pair]


def unpaired_note(name: str, readers: list[str]) -> str:
    """Why the interval of a difference is not paired, with the readers."""
    if readers[0] == readers[1]:
        why = "the official reader draws other episodes in every evaluation"
    else:
        why = " and ".join(f"the {reader} reader drew {side}" for reader, side in zip(readers, "AB", strict=True))
    return f"{name}: {why}; A - B is NOT paired, its interval is that of independent episodes"


def divergence_notes(row: ComparisonRow, counted: int) -> tuple[str, ...]:
    """How the episodes count that diverged; empty if there are none."""
    if not (row.a.diverged or row.b.diverged):
        return ()
    each = ", ".join(f"{r.diverged} of {r.n} in {side}" for r, side in ((row.a, "A"), (row.b, "B")))
    left = f"; A - B is over the other {counted} and decides nothing" if row.unit.diverged is None else ""
    return (f"{row.source}: diverged {each}{left}. {row.unit.rule}",)
