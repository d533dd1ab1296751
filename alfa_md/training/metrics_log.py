"""Metrics log of a run: metrics.jsonl with one record a line, and the same scalars for TensorBoard."""

import json
from collections.abc import Mapping
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.metrics import finite_or_none
from alfa_md.system.files import TextLog, write_text
from alfa_md.training.tensorboard_writer import TensorBoardWriter


def is_current(line: bytes, steps: Mapping[str, int], path: Path, number: int) -> bool:
    """True if a line of metrics.jsonl is not beyond the step that its group resumes from.

    Raises UserError if the line does not parse.
    """
    try:
        record = json.loads(line)
        if type(record["step"]) is not int:
            raise TypeError("the step is no whole number")
        return record["step"] <= steps[record["group"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}, line {number} is damaged; delete that line and run this again") from error


def current_lines(path: Path, steps: Mapping[str, int]) -> list[str]:
    """The lines of a metrics.jsonl that are not beyond the step of their group, without an incomplete last one.

    Raises UserError if another line is damaged.
    """
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # a killed run may leave a partial line
    return [line.decode() for number, line in enumerate(lines, 1) if is_current(line, steps, path, number)]


class MetricsLog:
    """Appends records to metrics.jsonl; opening it removes the records beyond the state that is resumed from.

    `steps` is the last update to keep for every group of records.
    """

    def __init__(self, path: Path, tensorboard: Path, steps: Mapping[str, int]):
        write_text(path, "".join(f"{line}\n" for line in current_lines(path, steps)))
        self.file = TextLog(path)
        self.writer = TensorBoardWriter(tensorboard, max(steps.values()) + 1)

    def write(self, step: int, group: str, **values: float) -> None:
        """Writes one record: `values` of `group` ("train" or "validation") after update `step`; null if not finite."""
        known = {name: finite_or_none(value) for name, value in values.items()}
        self.file.write(json.dumps({"step": step, "group": group} | known, allow_nan=False) + "\n")
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Flushes and closes both files."""
        self.file.close()
        self.writer.close()
