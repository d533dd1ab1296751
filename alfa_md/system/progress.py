"""Progress display: a bar on a terminal, a plain line every 15 seconds elsewhere."""

import sys
import time
from collections.abc import Iterator
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

# Without markup: a path may contain rich's markup characters.
CONSOLE = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
PLAIN_SECONDS = 15.0  # between two lines without a terminal


class Progress:
    """Counts from `done` to `total`: `advance` counts on, `print_line` prints a permanent line.

    Shows count, elapsed time, rate (over the whole process, pauses for validation included), time left, and a remark.
    """

    def __init__(self, title: str, total: int, done: int = 0, whole: "Progress | None" = None):
        self.title, self.total, self.done, self.first, self.whole = title, total, done, done, whole
        self.remark, self.started, self.printed = "", time.monotonic(), time.monotonic()
        self.bar = whole.bar if whole else _Bar(console=CONSOLE) if sys.stdout.isatty() else None
        if self.bar:
            self.task = self.bar.add_task(title, total=total, completed=done, pace="", remark="")

    def part(self, title: str, total: int) -> "Progress":
        """The progress of a part of the work, below this one while it lasts; it prints no last line of its own."""
        return Progress(title, total, whole=self)

    def __enter__(self) -> "Progress":
        if self.bar and not self.whole:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar and self.whole:
            self.bar.remove_task(self.task)
        elif self.bar:
            self.bar.stop()
        elif kind is None and self.total and not self.whole:
            self._line()

    def advance(self, remark: str = "", number: int = 1) -> None:
        """Counts `number` more items and shows `remark`, or the last one."""
        self.done, self.remark = self.done + number, remark or self.remark
        if self.bar:
            self.bar.update(self.task, completed=self.done, pace=self._pace(), remark=self.remark)
        elif time.monotonic() - self.printed > PLAIN_SECONDS:
            self._line()

    def print_line(self, text: str) -> None:
        """Prints a line above the bar."""
        CONSOLE.print(text)

    def _line(self) -> None:
        self.printed = time.monotonic()
        CONSOLE.print(f"{self.title} {self.done}/{self.total}  {self._pace()}  {self.remark}".rstrip())

    def _pace(self) -> str:
        """Elapsed time, and rate and time left once known."""
        elapsed, done = time.monotonic() - self.started, self.done - self.first
        parts = [format_duration(elapsed)]
        if done and elapsed > 0:
            parts.append(format_rate(done / elapsed))
            if self.done < self.total:
                parts.append(f"ETA {format_duration(elapsed / done * (self.total - self.done))}")
        return "  ".join(parts)


class _Bar(RichProgress):
    """Title, bar, count and pace on one line, the remark on a second; both fit into 80 columns."""

    def __init__(self, console: Console):
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
        super().__init__(*columns, TextColumn("{task.fields[pace]}"), console=console)

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in (task for task in self.tasks if task.fields["remark"]):
            yield Text(task.fields["remark"], no_wrap=True, overflow="ellipsis")


def format_duration(seconds: float) -> str:
    """A duration in one or two units: 95 s, 37 min, 5 h 10 min, 3 d 4 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{minutes // 60} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def format_rate(rate: float) -> str:
    """A rate in two digits, whole above 10: 0.012/s, 3.4/s, 1234/s."""
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
