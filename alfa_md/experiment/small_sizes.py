"""Small sizes for a run without records: minutes on a laptop in place of GPU days on drawn pictures.

Every full-size main gin file is then read as if it ended with `include 'gin/parts/small.gin'`, or with that of
`small_vit.gin`, which includes it. Files and bindings of a user come after it, so that they win.
"""

import io
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import gin

from alfa_md.data.roots import Root
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.pretraining import pretraining_folder
from alfa_md.experiment.run_directory import SIZES, RunDirectory

SMALL = "gin/parts/small.gin"
SMALL_VIT = "gin/parts/small_vit.gin"  # the same sizes, on the vision transformer
RUN_AS_THEY_ARE = {"quickstart.gin", "omniglot_proto_maml_alfa.gin"}  # main files for a CPU


class Sizes(NamedTuple):
    """The sizes of a run: a parser of gin files and bindings to them, and a note in run.json, "" for those bound."""

    parse: Callable[[Sequence[str], Sequence[str]], object]
    note: str

    @property
    def facts(self) -> dict[str, str]:
        return {SIZES: self.note} if self.note else {}


def parse_small(files: Sequence[str], bindings: Sequence[str] = ()) -> bool:
    """Parses as `config.parse`, at small sizes; returns False if the files have the same without it."""
    config.parse(files, bindings)
    before = gin.config_str()
    with _main_files_end_small():
        config.parse(files, bindings)
    return gin.config_str() != before


AS_BOUND = Sizes(config.parse, "")
FOR_WANT_OF_RECORDS = Sizes(parse_small, f"small ({SMALL}), for want of records")


def choose_sizes(run: RunDirectory, root: Root, files: Sequence[str], bindings: Sequence[str]) -> Sizes:
    """Small sizes for a new run on the miniature; a run goes on at those that it was begun with.

    Raises UserError for a run on other data that was begun small.
    """
    folders = (each for each in (run, pretraining_folder(run)) if each.config.is_file() and each.facts_file.is_file())
    begun = next((folder.facts() for folder in folders), None)
    if root.kind != "miniature":
        if begun and SIZES in begun:
            raise UserError(f"{run.path} is a small run, begun without records; choose another --run_dir")
        return AS_BOUND
    if begun and SIZES not in begun:
        return AS_BOUND
    return FOR_WANT_OF_RECORDS if parse_small(files, bindings) else AS_BOUND


def announce(files: Sequence[str], bindings: Sequence[str], seed: int) -> str:
    """The lines that a small run prints, with the command of the real one."""
    flags = [*(f"--gin_config={file}" for file in files), *(f"--gin_bindings={binding}" for binding in bindings)]
    command = shlex.join([*flags, *([f"--seed={seed}"] if seed else []), "--records_root_dir=RECORDS"])
    return (
        f"NO RECORDS, SO A SMALL RUN OF MINUTES: the sizes of {', '.join(files)} are replaced by those of {SMALL}. It "
        f"shows that everything works, NOT how good the method is.\n"
        f"The real run: python -m alfa_md.train {command} --run_dir=NEW_RUN"
    )


@contextmanager
def _main_files_end_small() -> Iterator[None]:
    """Inside, gin reads an include of the small sizes at the end of every full-size main file."""
    reader, exists = gin.config._FILE_READERS[0]

    @contextmanager
    def extended(path: str) -> Iterator[io.StringIO]:
        with reader(path) as text:
            if _is_full_size(Path(path)):
                text.seek(0, io.SEEK_END)
                text.write(f"\ninclude '{_small_part(Path(path))}'\n")
                text.seek(0)
            yield text

    gin.config._FILE_READERS[0] = (extended, exists)
    try:
        yield
    finally:
        gin.config._FILE_READERS[0] = (reader, exists)


def _is_full_size(file: Path) -> bool:
    return file.resolve().parent == config.ROOT / "gin" and file.name not in RUN_AS_THEY_ARE


def _small_part(file: Path) -> str:
    return SMALL_VIT if "vit" in file.stem.split("_") else SMALL
