"""The files of predictions: a CSV file, written row by row, and a page of the first pictures."""

import csv
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from alfa_md.evaluation.tables import without_formula
from alfa_md.metrics import ACCURACY
from alfa_md.normalization import BatchStatistics
from alfa_md.prediction.calibration import Calibration
from alfa_md.prediction.predictions import Prediction, Predictions
from alfa_md.reporting.predictions_page import MAX_PICTURES, Card, make_card, plain, render_page
from alfa_md.system.files import atomic_write
from alfa_md.system.progress import CONSOLE, progress_bar

NAMED = 3  # files that a note names
INDUCTIVE = "the learner normalises a query set by its own moments; here the labelled pictures' are used"


def write_predictions(predictions: Predictions, out: Path, title: str) -> None:
    """Writes the CSV file `out` and the page beside it, both or neither, and prints what they hold.

    Raises UserError for a picture that cannot be read, OSError naming a file that cannot be written.
    """
    page, cards = out.with_suffix(".html"), list[Card]()
    with atomic_write(out) as csv_file, atomic_write(page) as page_file:
        with text_of(csv_file) as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["file", "class", *(f"p({plain(name)})" for name in predictions.classes)])
            for prediction in progress_bar(predictions, "predict", len(predictions)):
                writer.writerow(csv_row(prediction))
                if len(cards) < MAX_PICTURES:
                    cards.append(make_card(prediction, predictions))
        page_file.write(render_page(predictions, cards, title, summary(predictions), out.name).encode())
    for line in (f"{title}: {summary(predictions)[0]}", *summary(predictions)[1:]):
        CONSOLE.print(line)
    number = len(predictions) - len(predictions.unreadable)
    CONSOLE.print(f"{out}: {number} pictures")
    CONSOLE.print(f"{page}: " + ("all of them" if len(cards) == number else f"the first {len(cards)} of them"))


def csv_row(prediction: Prediction) -> list[Any]:
    """File, class and probabilities with six digits; names in one line, and none a formula of a spreadsheet."""
    names = (without_formula(plain(name)) for name in (prediction.file, prediction.label))
    return [*names, *(f"{probability:.6f}" for probability in prediction.probabilities)]


def summary(predictions: Predictions) -> list[str]:
    """The lines about the support set, calibration, copies and unreadable pictures."""
    shots = predictions.support.pictures.shots
    each = f"{shots[0]}" if min(shots) == max(shots) else f"{min(shots)} to {max(shots)}"
    lines = [f"adapted to {sum(shots)} labelled pictures, {each} of each of {len(shots)} classes"]
    if isinstance(getattr(predictions.learner, "normalization", None), BatchStatistics):
        lines.append(INDUCTIVE)
    if predictions.calibration:
        lines.append(describe_calibration(predictions.calibration, sum(shots)))
    if predictions.copies:
        lines.append(f"copies of labelled pictures among those predicted: {listed(predictions.copies)}")
    if predictions.unreadable:
        lines.append(f"left out, unreadable: {listed(predictions.unreadable)}")
    return lines


def describe_calibration(calibration: Calibration, labelled: int) -> str:
    """The line about the expected accuracy and the temperature."""
    low, high = map(ACCURACY.number, calibration.interval)
    counts = f"{calibration.correct} of {calibration.number} labelled pictures, each left out once"
    if left := labelled - calibration.number:
        counts += f"; {left} without another of their class"
    fitted = "the scores say nothing: probabilities are equal"
    if math.isfinite(calibration.temperature):
        fitted = f"temperature {calibration.temperature:.3g}"
    expected = f"expected accuracy {ACCURACY.number(calibration.accuracy)} %, 95 % interval {low} to {high}"
    return f"{expected} ({counts}); {fitted}"


def listed(names: list[str]) -> str:
    """The number of names, and the first of them."""
    return f"{len(names)} ({'; '.join(map(plain, names[:NAMED]))}{'; ...' if len(names) > NAMED else ''})"


@contextmanager
def text_of(file: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """A UTF-8 text file that writes to `file`, which stays open after the block."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()
