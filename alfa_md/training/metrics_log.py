"""The curves of a run: one JSON line a record, and the same numbers for TensorBoard."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from alfa_md.errors import UserError
from alfa_md.system.files import write_text

# TensorBoard looks for this module, and where it exists does not import TensorFlow: seconds, and a claim on the GPU.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
from torch.utils.tensorboard import SummaryWriter  # noqa: E402


def stays(line: str, steps: Mapping[str, int], path: Path, number: int) -> bool:
    """Whether a line of metrics.jsonl is of an update that counts. Raises UserError where it is damaged."""
    try:
        record = json.loads(line)
        return record["step"] <= steps[record["group"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}, line {number} is damaged; delete that line and run this again") from error


class MetricsLog:
    """Appends records to metrics.jsonl; opening it drops what a lost continuation had written.

    `steps` says for every group of records up to which update they stay.
    """

    def __init__(self, path: Path, tensorboard: Path, steps: Mapping[str, int]):
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]  # a run that was killed may have left half a line
        write_text(path, "".join(line for number, line in enumerate(whole, 1) if stays(line, steps, path, number)))
        self.file = open(path, "a", buffering=1)
        self.writer = SummaryWriter(str(tensorboard), purge_step=max(steps.values()) + 1)

    def write(self, step: int, group: str, **values: float) -> None:
        """Records `values` of `group` ("train" or "validation") after update `step`."""
        self.file.write(json.dumps({"step": step, "group": group} | values) + "\n")
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Flushes and closes both files."""
        self.file.close()
        self.writer.close()
