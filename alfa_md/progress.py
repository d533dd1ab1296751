"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

T = TypeVar("T")
# Text is printed as it is: a path may hold what rich takes for markup.
CONSOLE = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
PLAIN_SECONDS = 15.0  # between two lines where there is no terminal


class Progress:
    """Counts from `done` to `total`; `say` prints a line that stays, `advance` moves on with a short remark."""

    def __init__(self, title: str, total: int, done: int = 0):
        self.title, self.total, self.done = title, total, done
        self.remark, self.started, self.printed = "", time.monotonic(), time.monotonic()
        self.bar = None
        if sys.stdout.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[remark]}"),
            )
            self.bar = RichProgress(*columns, console=CONSOLE)
            self.task = self.bar.add_task(title, total=total, completed=done, remark="")

    def __enter__(self) -> "Progress":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()
        elif kind is None and self.total:
            self._line()

    def advance(self, remark: str = "") -> None:
        """One more is done."""
        self.done, self.remark = self.done + 1, remark or self.remark
        if self.bar:
            self.bar.update(self.task, completed=self.done, remark=self.remark)
        elif time.monotonic() - self.printed > PLAIN_SECONDS:
            self._line()

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        CONSOLE.print(text)

    def _line(self) -> None:
        self.printed = time.monotonic()
        elapsed = self.printed - self.started
        CONSOLE.print(f"{self.title} {self.done}/{self.total} {elapsed:.0f} s {self.remark}".rstrip())


def track(items: Iterable[T], title: str, total: int) -> Iterator[T]:
    """The items, counted on the way."""
    with Progress(title, total) as progress:
        for item in items:
            yield item
            progress.advance()
