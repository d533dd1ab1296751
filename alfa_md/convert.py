"""Converts the original files of one source into Meta-Dataset records.

    python -m alfa_md.convert SOURCE --source_dir=FOLDER --records_root_dir=FOLDER

The records go to the folder SOURCE below the records root. Run again, it keeps the classes that are complete.
"""

from pathlib import Path

from absl import flags

from alfa_md.data.convert import converter
from alfa_md.errors import UserError
from alfa_md.main import run


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        raise UserError(f"name one source, as in `python -m alfa_md.convert omniglot`, not {len(argv) - 1}")
    convert = converter(argv[1])
    print(convert(Path(flags.FLAGS.source_dir).expanduser(), Path(flags.FLAGS.records_root_dir).expanduser()))


if __name__ == "__main__":
    flags.DEFINE_string("source_dir", None, "folder with the original files of the source", required=True)
    flags.DEFINE_string("records_root_dir", None, "folder for the records of all sources", required=True)
    run(main)
