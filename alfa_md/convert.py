"""Convert the original files of one source to Meta-Dataset records, or a checkpoint from or to TensorFlow.

    python -m alfa_md.convert SOURCE --source_dir=FOLDER --records_root_dir=FOLDER
    python -m alfa_md.convert checkpoint --from=CHECKPOINT --to=CHECKPOINT

Records are written to the folder SOURCE below the records root; an interrupted conversion is resumed by class.
--from is a checkpoint file of ours or of Meta-Dataset's TensorFlow program, named without `.index`; --to is written in
the other format. Existing files are not overwritten.
"""

import os
import sys

from absl import flags

from alfa_md.data.convert import planner, sources
from alfa_md.data.convert_common.conversion_state import report_skipped
from alfa_md.data.convert_common.image_policy import ImagePolicy
from alfa_md.data.convert_common.published_specs import published_summary
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import SPLITS, load_spec
from alfa_md.errors import UserError
from alfa_md.interop.checkpoint_bridge import convert_checkpoint
from alfa_md.main import run
from alfa_md.system.progress import CONSOLE
from alfa_md.system.user_path import user_path

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        names = ", ".join(sources())
        raise UserError(f"name checkpoint or one source ({names}), as in `alfa_md.convert dtd`, not {len(argv) - 1}")
    if argv[1] == "checkpoint":
        CONSOLE.print(convert_checkpoint(*required_flags("from", "to")))
    else:
        convert_source(argv[1])


def convert_source(source: str) -> None:
    """Converts one source to records, or only prints the plan with --dry_run."""
    plan_of = planner(source)
    folders = required_flags("source_dir", "records_root_dir")
    source_dir, records_root_dir = (user_path(folder) for folder in folders)
    plan = plan_of(source_dir)
    if FLAGS.limit_per_class:
        plan = plan.limited(FLAGS.limit_per_class)
    if FLAGS.dry_run:
        sizes = ", ".join(f"{plan.spec.classes_per_split[split]} {split}" for split in SPLITS)
        summary = f"{published_summary(plan.spec)}; classes: {sizes}"
        CONSOLE.print(*plan.notes, f"would write {records_root_dir / plan.spec.name}: {summary}", sep="\n")
        return
    policy = ImagePolicy(FLAGS.verify, FLAGS.skip_unreadable)
    directory = write_source(plan, records_root_dir, FLAGS.workers, policy)
    summary = published_summary(load_spec(directory))
    CONSOLE.print(*plan.notes, *report_skipped(directory), f"{directory}: {summary}", sep="\n")


def required_flags(*names: str) -> list[str]:
    """The values of these flags. Raises UserError if one is not set."""
    if missing := [f"--{name}" for name in names if not FLAGS[name].value]:
        raise UserError(f"{' and '.join(missing)} must be given; --help explains")
    return [FLAGS[name].value for name in names]


if __name__ == "__main__":
    sys.modules["__main__"].__doc__ += f"\nSources: {', '.join(sources())}.\n"  # of --help
    flags.DEFINE_string("source_dir", None, "For a source: folder with its original files.")
    flags.DEFINE_string("records_root_dir", None, "For a source: folder for the records of all sources.")
    flags.DEFINE_integer("workers", os.cpu_count() or 1, "For a source: number of processes.", lower_bound=1)
    flags.DEFINE_integer("limit_per_class", None, "For a source: maximum number of images per class.", lower_bound=1)
    flags.DEFINE_bool("dry_run", False, "For a source: check the original files and print the plan, without writing.")
    flags.DEFINE_bool("verify", True, "For a source: decode JPEG files that are copied; without it, faster.")
    flags.DEFINE_bool("skip_unreadable", False, "For a source: leave unreadable images out, and list them.")
    flags.DEFINE_string("from", None, "For checkpoint: a file of ours, or a TensorFlow checkpoint without .index.")
    flags.DEFINE_string("to", None, "For checkpoint: the checkpoint to write; must not exist.")
    run(main)
