"""Writing of a plan: one record file per class, atomically and in parallel, then the specification."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.conversion_state import ConversionState
from alfa_md.data.convert_common.image_policy import ImagePolicy
from alfa_md.data.convert_common.plan import Plan, Skipped
from alfa_md.data.convert_common.pool import map_in_processes
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.errors import UserError
from alfa_md.system.progress import progress_bar

VERIFIED = ImagePolicy()


class ClassWriter(NamedTuple):
    """Writes the record file of a class id; picklable for worker processes."""

    plan: Plan
    spec: DatasetSpec  # with the path of the output directory
    policy: ImagePolicy

    def __call__(self, class_id: int) -> tuple[int, list[Skipped]]:
        """Write the records of a class; returns its id and the skipped images.

        Raises UserError if some are missing, or if all are skipped.
        """
        skipped: list[Skipped] = []
        images = self._images(class_id, skipped)
        write_records(self.spec.class_file(class_id), (encode_example(image, class_id) for image in images))
        return class_id, skipped

    def _images(self, class_id: int, skipped: list[Skipped]) -> Iterator[bytes]:
        planned, count = self.spec.images_per_class[class_id], 0
        for image in map(self.policy, islice(self.plan.images(class_id), planned)):
            count += 1
            if isinstance(image, Skipped):
                skipped.append(image)
            else:
                yield image
        if count < planned:
            name = self.spec.class_names[class_id]
            raise UserError(f"{name}: {count} images came of {planned}; run again, the originals have changed")
        if len(skipped) == planned > 0:
            name = self.spec.class_names[class_id]
            raise UserError(
                f"{name}: none of its {planned} images can be read ({skipped[0].reason}), or remove the class"
            )


def write_source(plan: Plan, records_root_dir: Path, workers: int = 1, policy: ImagePolicy = VERIFIED) -> Path:
    """Write a record file for each class and then `dataset_spec.json`; returns `<records_root_dir>/<spec.name>`.

    `workers` processes write one class each. Complete classes are kept, so an interrupted conversion resumes; what an
    earlier one did not decode, or left out as unreadable, is read again unless `policy` is the same. Raises
    UserError, before anything is written, if the directory holds anything but this source, and if it cannot be written
    or an original cannot be read.
    """
    directory = records_root_dir / plan.spec.name
    try:
        state = ConversionState.open(plan, directory)
        sizes = plan.spec.images_per_class
        missing = state.missing(policy)
        state.begin(missing, policy)
        missing.sort(
            key=lambda class_id: -sizes[class_id]
        )  # largest first, so that no worker ends with a large class alone
        results = map_in_processes(ClassWriter(plan, state.spec, policy), missing, workers)
        for class_id, skipped in progress_bar(results, f"Converting {plan.spec.name}", len(missing)):
            state.set_skipped(class_id, skipped)
        state.finish(plan, policy)
    except OSError as error:
        raise UserError(
            f"{error.filename or directory}: cannot be written ({error.strerror}); choose another records root"
        ) from error
    return directory
