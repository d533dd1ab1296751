"""Converts the original files of one source into Meta-Dataset records, or a checkpoint from or to TensorFlow.

    python -m alfa_md.convert SOURCE --source_dir=FOLDER --records_root_dir=FOLDER
    python -m alfa_md.convert checkpoint --from=CHECKPOINT --to=CHECKPOINT

The records go to the folder SOURCE below the records root. Run again, it keeps the classes that are complete.
A checkpoint is a file of ours, or one of Meta-Dataset's own program, named without `.index`; whichever --from is, --to
becomes the other. Nothing is written over.
"""

import os
from pathlib import Path

from absl import flags

from alfa_md.data.convert import planner
from alfa_md.data.convert_common.published_specs import published_summary
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import SPLITS, load_spec
from alfa_md.errors import UserError
from alfa_md.interop.checkpoint_bridge import convert_checkpoint
from alfa_md.main import run

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        raise UserError(f"name one source or checkpoint, as in `alfa_md.convert omniglot`, not {len(argv) - 1}")
    if argv[1] == "checkpoint":
        print(convert_checkpoint(*given("from", "to")))
    else:
        convert_source(argv[1])


def convert_source(source: str) -> None:
    plan_of = planner(source)
    source_dir, records_root_dir = (Path(folder).expanduser() for folder in given("source_dir", "records_root_dir"))
    plan = plan_of(source_dir)
    if FLAGS.limit_per_class:
        plan = plan.limited(FLAGS.limit_per_class)
    if FLAGS.dry_run:
        sizes = ", ".join(f"{plan.spec.classes_per_split[split]} {split}" for split in SPLITS)
        print(f"would write {records_root_dir / plan.spec.name}: {published_summary(plan.spec)}; classes: {sizes}")
        return
    directory = write_source(plan, records_root_dir, FLAGS.workers)
    print(f"{directory}: {published_summary(load_spec(directory))}")


def given(*names: str) -> list[str]:
    """The values of these flags. Raises UserError where one is not given."""
    if missing := [f"--{name}" for name in names if not FLAGS[name].value]:
        raise UserError(f"{' and '.join(missing)} must be given; --help explains")
    return [FLAGS[name].value for name in names]


if __name__ == "__main__":
    flags.DEFINE_string("source_dir", None, "Of a source: folder with its original files.")
    flags.DEFINE_string("records_root_dir", None, "Of a source: folder for the records of all sources.")
    flags.DEFINE_integer("workers", os.cpu_count() or 1, "Of a source: processes that convert.", lower_bound=1)
    flags.DEFINE_integer("limit_per_class", None, "Of a source: only the first images of every class.", lower_bound=1)
    flags.DEFINE_bool("dry_run", False, "Of a source: look for all original files, say what would be written, stop.")
    flags.DEFINE_string("from", None, "Of checkpoint: a file of ours, or a TensorFlow checkpoint without .index.")
    flags.DEFINE_string("to", None, "Of checkpoint: what to write; must not exist.")
    run(main)
