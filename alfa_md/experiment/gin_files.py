"""Reading of gin files: old names and old stored texts are translated, includes searched, imports checked."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import gin
from gin.config_parser import ConfigParser, ImportStatement, ParserDelegate

from alfa_md.errors import UserError
from alfa_md.experiment import renamed
from alfa_md.experiment.gin_parts import ROOT
from alfa_md.experiment.stored_config import in_bound_scopes

PACKAGE = __name__.split(".")[0]


class GinFiles:
    """Opens gin files for gin.

    Attributes:
      open_files: the file that is being read and those that include it, from the outside in.
      texts: of the files read so far.
      trusted: modules that files may import besides this package; None for all.
    """

    def __init__(self):
        self.open_files: list[Path] = []
        self.texts: list[str] = []
        self.trusted: Collection[str] | None = None

    @contextmanager
    def trusting(self, trusted: Collection[str] | None) -> Iterator[None]:
        """Files read in this context may import only this package and the modules `trusted`, or all if None."""
        before, self.trusted = self.trusted, trusted
        try:
            yield
        finally:
            self.trusted = before

    @contextmanager
    def open(self, path: str) -> Iterator[StringIO]:
        """The text of a file; what it includes is looked for beside it first.

        Raises UserError if it includes itself, is no UTF-8 text, or imports what is not trusted.
        """
        file = Path(path).resolve()
        if file in self.open_files:
            circle = " -> ".join(each.name for each in (*self.open_files[self.open_files.index(file) :], file))
            raise UserError(f"gin: {path} includes itself ({circle}); remove one of these includes")
        text = StringIO(read(path))
        text.name = path  # shown in gin's messages
        self.texts.append(text.getvalue())
        self._refuse_imports(text)
        places, before = gin.config._LOCATION_PREFIXES, gin.config._LOCATION_PREFIXES[:]
        self.open_files.append(file)
        places[:] = [str(file.parent), "", str(ROOT)]
        try:
            yield text
        finally:
            places[:] = before
            self.open_files.pop()

    def _refuse_imports(self, text: StringIO) -> None:
        """Raises UserError for an import that is not trusted, before anything in the file is imported."""
        if self.trusted is None:
            return
        allowed = {PACKAGE, *self.trusted}
        for statement in ConfigParser(text, _Unresolved()):
            if isinstance(statement, ImportStatement) and not _is_within(statement.module, allowed):
                top = statement.module.split(".")[0]
                raise UserError(
                    f"gin: {text.name} imports {statement.module}, which runs code that is not of this package; if "
                    f"you trust it, add --trust={top} (for open_run, trust=['{top}'])"
                )
        text.seek(0)


def read(path: str) -> str:
    """The text of a gin file in current names, that of a run without needless scopes.

    Raises UserError if it is no UTF-8.
    """
    file = Path(path)
    try:
        text = renamed.translate(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"gin: {path} is not a text file in UTF-8 ({error.reason})") from error
    # Only a run's text is known to list all calls; one of gin.config_str looks alike and holds what was bound.
    return in_bound_scopes(text) if file.with_name("run.json").is_file() else text


def _is_within(module: str, packages: Collection[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class _Unresolved(ParserDelegate):
    """Parses statements without looking up what they refer to."""

    def configurable_reference(self, scoped_configurable_name: str, evaluate: bool) -> str:
        return scoped_configurable_name

    def macro(self, macro_name: str) -> str:
        return macro_name


GIN_FILES = GinFiles()
gin.add_config_file_search_path(str(ROOT))
gin.config._FILE_READERS[0] = (GIN_FILES.open, os.path.isfile)  # replaces gin's default reader, `open`
