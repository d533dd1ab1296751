"""State of a conversion, stored in its output directory: resumes interrupted ones, protects other data."""

import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.image_policy import ImagePolicy
from alfa_md.data.convert_common.left_out import report_names
from alfa_md.data.convert_common.plan import UNREADABLE, Plan, Skipped
from alfa_md.data.spec import SPEC_FILE, DatasetSpec, load_spec, save_spec
from alfa_md.data.tfrecord.records import scan_offsets
from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write
from alfa_md.system.text_files import read_json

UNFINISHED = "unfinished_spec.json"  # the planned specification, during conversion
SKIPPED = "skipped.json"  # class id -> [where, reason, kind] of every skipped image, kind if any; absent if none
UNVERIFIED = "unverified.json"  # class ids whose copied images were not decoded; absent if none
REMEDY = "choose another records root, or delete the directory if it is of no use"


class ConversionState(NamedTuple):
    """The planned specification of an output directory, and the images skipped so far by class id.

    `unverified` are the ids of classes whose copied images were not decoded.
    """

    directory: Path
    spec: DatasetSpec  # planned
    skipped: dict[int, list[Skipped]]
    unverified: frozenset[int]

    @classmethod
    def open(cls, plan: Plan, directory: Path) -> "ConversionState":
        """Open an empty directory for `plan`, or that of a finished or interrupted conversion of the same plan.

        Raises UserError, before anything is written, if the directory holds anything else.
        """
        directory.mkdir(parents=True, exist_ok=True)
        spec, skipped = replace(plan.spec, path=directory), _read_skipped(directory / SKIPPED)
        state = cls(directory, spec, skipped, _read_unverified(directory / UNVERIFIED))
        for name, ids in ((SKIPPED, state.skipped), (UNVERIFIED, state.unverified)):
            if unknown := set(ids) - set(range(len(spec.class_names))):
                raise UserError(f"{directory / name}: has class {min(unknown)}, which the source lacks; {REMEDY}")
        _remove_orphaned_files(directory)
        if (directory / SPEC_FILE).exists():
            if load_spec(directory) != state.written_spec():
                raise UserError(f"{directory}: holds another {plan.spec.name} with other classes or images; {REMEDY}")
        elif (directory / UNFINISHED).exists():
            if (directory / UNFINISHED).read_bytes() != state._planned_json():
                raise UserError(f"{directory}: holds the unfinished conversion of another {plan.spec.name}; {REMEDY}")
        elif any(directory.iterdir()):
            raise UserError(f"{directory}: is not empty and has no {SPEC_FILE}; {REMEDY}")
        else:
            state._write(UNFINISHED, state._planned_json())
        return state

    def missing(self, policy: ImagePolicy) -> list[int]:
        """The class ids to write; also those that an earlier run did not decode, or of which it left out images.

        The former unless `policy` does not decode either, the latter unless it leaves out unreadable images, too.
        """
        return [class_id for class_id in range(len(self.spec.images_per_class)) if not self._is_kept(class_id, policy)]

    def _is_kept(self, class_id: int, policy: ImagePolicy) -> bool:
        if policy.verify and class_id in self.unverified:
            return False
        left_out = any(image.kind == UNREADABLE for image in self.skipped.get(class_id, ()))
        return (policy.skip_unreadable or not left_out) and self.is_complete(class_id)

    def is_complete(self, class_id: int) -> bool:
        """True if every planned image of a class is a record or listed as skipped."""
        file = self.spec.class_file(class_id)
        if not file.exists():
            return False
        try:
            found = len(scan_offsets(file)) - 1
        except UserError:  # a damaged file is written again
            return False
        return found + len(self.skipped.get(class_id, ())) == self.spec.images_per_class[class_id]

    def begin(self, missing: Collection[int], policy: ImagePolicy) -> None:
        """Store which classes are about to be written without decoding."""
        if missing and not policy.verify:
            self._write(UNVERIFIED, json.dumps(sorted(self.unverified | set(missing))).encode())

    def set_skipped(self, class_id: int, skipped: list[Skipped]) -> None:
        """Store the skipped images of a class that has been written; with others than before, it is unfinished."""
        before = self.skipped.pop(class_id, [])
        if skipped:
            self.skipped[class_id] = skipped
        if skipped != before:
            self._write(UNFINISHED, self._planned_json())
            (self.directory / SPEC_FILE).unlink(missing_ok=True)
            content = {str(key): [_row(image) for image in self.skipped[key]] for key in sorted(self.skipped)}
            self._write(SKIPPED, json.dumps(content, indent=2).encode())

    def written_spec(self) -> DatasetSpec:
        """The specification with the image counts that were written."""
        counts = self.spec.images_per_class
        left = tuple(count - len(self.skipped.get(class_id, ())) for class_id, count in enumerate(counts))
        return replace(self.spec, images_per_class=left)

    def finish(self, plan: Plan, policy: ImagePolicy) -> DatasetSpec:
        """Write the extra files, then the specification; returns it."""
        spec = self.written_spec()
        for name, content in plan.extra_files(spec).items():
            self._write(name, content)
        save_spec(spec, self.directory)
        if not self.skipped:
            (self.directory / SKIPPED).unlink(missing_ok=True)
        if policy.verify:
            (self.directory / UNVERIFIED).unlink(missing_ok=True)
        (self.directory / UNFINISHED).unlink(missing_ok=True)
        return spec

    def _write(self, name: str, content: bytes) -> None:
        with atomic_write(self.directory / name) as file:
            file.write(content)

    def _planned_json(self) -> bytes:
        return json.dumps(self.spec.to_json(), indent=2).encode()


def report_skipped(directory: Path) -> tuple[str, ...]:
    """The lines of the report on the images that a conversion skipped, and on classes that it did not decode."""
    images = [image for own in _read_skipped(directory / SKIPPED).values() for image in own]
    number = len(_read_unverified(directory / UNVERIFIED))
    unverified = (
        f"copied JPEG files of {number} classes were not decoded; the same command without --noverify decodes them"
    )
    skipped = report_names(f"images left out, for the reasons in {SKIPPED}", [image.where for image in images])
    return (*skipped, unverified) if number else skipped


def _row(image: Skipped) -> list[str]:
    return [image.where, image.reason, *filter(None, [image.kind])]


def _read_unverified(file: Path) -> frozenset[int]:
    """The ids of classes that were not decoded. Raises UserError for a file that is not as a conversion writes it."""
    content = read_json(file, REMEDY) if file.exists() else []
    if not (isinstance(content, list) and all(type(class_id) is int for class_id in content)):
        raise UserError(f"{file}: is not the list of class ids that a conversion writes; {REMEDY}")
    return frozenset(content)


def _read_skipped(file: Path) -> dict[int, list[Skipped]]:
    """The skipped images by class id. Raises UserError for a file that is not as a conversion writes it."""
    if not file.exists():
        return {}
    content = read_json(file, REMEDY)
    try:
        skipped = {int(key): [Skipped(*image) for image in images] for key, images in content.items()}
        if not all(key == str(int(key)) for key in content):
            raise ValueError("a class id that is not a number")
        if not all(isinstance(image, list) for images in content.values() for image in images):
            raise TypeError("an image that is not a list")
        if not all(isinstance(text, str) for images in skipped.values() for image in images for text in image):
            raise TypeError("a name or reason that is not a text")
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: is not the list of skipped images that a conversion writes; {REMEDY}") from error
    return skipped


def _remove_orphaned_files(directory: Path) -> None:
    """Remove temporary files of processes that no longer run."""
    for file in directory.glob(".*.tmp"):
        process = file.name.split(".")[-3]
        if process.isdigit() and not _is_running(int(process)):
            file.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a process of another user
        pass
    return True
