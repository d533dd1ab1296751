"""The consoles that commands print to, which show the control characters of names and paths as escape sequences."""

from collections.abc import Iterable

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from alfa_md.errors import escape_controls

KEPT = "\n\t"
UNLIMITED = 10_000  # characters


class PlainConsole(Console):
    """A console without markup, since a path may contain rich's markup characters, and without foreign control codes.

    Lines are not broken at the width of the terminal; without a terminal, tables are as wide as their content.
    """

    def __init__(self, **options):
        super().__init__(markup=False, emoji=False, highlight=False, soft_wrap=True, **options)

    @property
    def size(self) -> ConsoleDimensions:
        """Width and height in characters."""
        size = super().size
        return size if self.is_terminal else size._replace(width=UNLIMITED)

    def render_str(self, text: str, **options) -> Text:
        """The text of a string given to `print` or to a table."""
        return super().render_str(escape_controls(text, kept=KEPT), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments of a renderable; rich's own control codes are segments of another kind, or styles."""
        for segment in super().render(renderable, options):
            plain = segment.control or segment.text.isprintable()
            yield segment if plain else segment._replace(text=escape_controls(segment.text, kept=KEPT))


CONSOLE = PlainConsole()
ERRORS = PlainConsole(stderr=True)
