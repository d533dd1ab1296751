"""What a directory of records says of its own conversion, so that an interrupted one goes on and no other is harmed."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.conversion.plan import Plan, Skipped
from alfa_md.data.spec import SPEC_FILE, DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.records import scan_offsets
from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write

UNFINISHED = "unfinished_spec.json"  # the plan, while its classes are being written
SKIPPED = "skipped.json"  # class id -> [where, reason] of every image left out, where there are any
REMEDY = "choose another records root, or delete the directory if it is of no use"


class Ledger(NamedTuple):
    """The plan of a directory, and what has been skipped in it."""

    directory: Path
    spec: DatasetSpec  # planned
    skipped: dict[int, list[Skipped]]

    @classmethod
    def open(cls, plan: Plan, directory: Path) -> "Ledger":
        """Take an empty directory for `plan`, or one that a finished or interrupted conversion took for the same.

        Raises UserError, before anything is written, where the directory holds something else.
        """
        directory.mkdir(parents=True, exist_ok=True)
        ledger = cls(directory, replace(plan.spec, path=directory), _read_skipped(directory / SKIPPED))
        _sweep(directory)
        if (directory / SPEC_FILE).exists():
            if load_spec(directory) != ledger.written():
                raise UserError(f"{directory}: holds another {plan.spec.name} with other classes or images; {REMEDY}")
        elif (directory / UNFINISHED).exists():
            if (directory / UNFINISHED).read_bytes() != ledger._mark():
                raise UserError(f"{directory}: holds the unfinished conversion of another {plan.spec.name}; {REMEDY}")
        elif any(directory.iterdir()):
            raise UserError(f"{directory}: is not empty and has no {SPEC_FILE}; {REMEDY}")
        else:
            with atomic_write(directory / UNFINISHED) as file:
                file.write(ledger._mark())
        return ledger

    def is_complete(self, class_id: int) -> bool:
        """Whether the records of a class are all there, or known to be left out."""
        file = self.spec.class_file(class_id)
        if not file.exists():
            return False
        try:
            found = len(scan_offsets(file)) - 1
        except UserError:  # a damaged file is what converting again is for
            return False
        return found + len(self.skipped.get(class_id, ())) == self.spec.images_per_class[class_id]

    def note(self, class_id: int, skipped: list[Skipped]) -> None:
        """Keep what a class that has been written had to leave out."""
        before = self.skipped.pop(class_id, [])
        if skipped:
            self.skipped[class_id] = skipped
        if skipped != before:
            with atomic_write(self.directory / SKIPPED) as file:
                file.write(json.dumps({str(key): self.skipped[key] for key in sorted(self.skipped)}, indent=2).encode())

    def written(self) -> DatasetSpec:
        """The specification with the images that are left."""
        counts = self.spec.images_per_class
        left = tuple(count - len(self.skipped.get(class_id, ())) for class_id, count in enumerate(counts))
        return replace(self.spec, images_per_class=left)

    def finish(self, plan: Plan) -> DatasetSpec:
        """Write the specification, last of all; returns it."""
        spec = self.written()
        for name, content in plan.beside(spec).items():
            with atomic_write(self.directory / name) as file:
                file.write(content)
        save_spec(spec, self.directory)
        if not self.skipped:
            (self.directory / SKIPPED).unlink(missing_ok=True)
        (self.directory / UNFINISHED).unlink(missing_ok=True)
        return spec

    def _mark(self) -> bytes:
        return json.dumps(self.spec.to_json(), indent=2).encode()


def _read_skipped(file: Path) -> dict[int, list[Skipped]]:
    try:
        return {
            int(key): [Skipped(*image) for image in images] for key, images in json.loads(file.read_bytes()).items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: is not the list of skipped images that a conversion writes; {REMEDY}") from error


def _sweep(directory: Path) -> None:
    """Remove what killed processes have left of files that they were writing."""
    for file in directory.glob(".*.tmp"):
        process = file.name.split(".")[-3]
        if process.isdigit() and not _runs(int(process)):
            file.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True
