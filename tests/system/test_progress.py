"""Progress display: plain lines without a terminal, a bar on a terminal."""

import io
import sys

import pytest
from rich.console import Console

from alfa_md.system import progress
from alfa_md.system.progress import CONSOLE, Progress, format_duration, format_rate


def test_no_terminal_gets_a_plain_line_now_and_then(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress("training", 8, done=4) as shown:
        for remark in ("loss 3", "loss 2", "loss 1"):
            now[0] += 8.0
            shown.advance(remark)
    # 8 s: too early; 16 s: more than 15 since the start; 24 s: too early again; then the last line.
    assert capsys.readouterr().out.splitlines() == [
        "training 6/8  16 s  0.12/s  ETA 16 s  loss 2",
        "training 7/8  24 s  0.12/s  ETA 8 s  loss 1",
    ]


def test_the_rate_counts_what_this_process_has_done_and_nothing_is_left_at_the_end(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress("training", 75_000, done=74_900) as shown:
        for _ in range(100):
            now[0] += 0.05
            shown.advance()
    assert capsys.readouterr().out == "training 75000/75000  5 s  20/s\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (95.4, "95 s"), (121, "2 min"), (7100, "118 min"), (7230, "2 h 0 min"), (18_610, "5 h 10 min")]
    + [(172_799, "2 d 0 h"), (273_600, "3 d 4 h")],
)
def test_durations_have_at_most_two_units(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("rate", "text"), [(0.0123, "0.012/s"), (3.44, "3.4/s"), (10.4, "10/s"), (1234.5, "1234/s")])
def test_rates_have_two_digits(rate, text):
    assert format_rate(rate) == text


def test_print_line_prints_one_line(capsys):
    with Progress("training", 0) as shown:
        shown.print_line("update 100: validation 50.00 %")
    assert capsys.readouterr().out == "update 100: validation 50.00 %\n"


def test_long_lines_are_not_broken_and_text_is_printed_as_it_is(capsys):
    text = "/runs/[bold]a[/x]/:smile:/" + "long " * 60 + "end"
    CONSOLE.print(text)
    assert capsys.readouterr().out == text + "\n"


def test_work_that_fails_prints_no_last_line(capsys):
    with pytest.raises(ZeroDivisionError), Progress("training", 3) as shown:
        shown.advance()
        raise ZeroDivisionError
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_a_bar_that_fits_with_its_remark(monkeypatch, width):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    monkeypatch.setattr(progress, "CONSOLE", console)
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    remark = "loss 0.325  accuracy 91.7 %  waiting for data 3 %  best validation 87.1 %"
    with Progress("training", 75_000, done=30_000) as shown:
        now[0] = 1000.0
        shown.advance(remark)
        shown.print_line("a line that stays")
    text = console.file.getvalue()
    for part in ("30001/75000", "17 min  0.001/s  ETA 520 d 20 h", remark):
        assert part in text, part
    assert text.count("a line that stays") == 1


def test_a_part_of_the_work_has_lines_of_its_own_and_no_last_one(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress("training", 8) as whole, whole.part("validation", 600) as part:
        for _ in range(3):
            now[0] += 10.0
            part.advance(number=10)
    assert capsys.readouterr().out.splitlines() == [
        "validation 20/600  20 s  1/s  ETA 10 min",
        "training 0/8  30 s",
    ]


def test_on_a_terminal_a_part_has_a_bar_below_while_it_lasts(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(progress, "CONSOLE", console)
    with Progress("training", 8) as whole:
        whole.advance("loss 3")
        with whole.part("validation", 600) as part:
            part.advance(number=40)
            whole.bar.refresh()
            assert "40/600" in console.file.getvalue() and len(whole.bar.tasks) == 2
        assert [task.description for task in whole.bar.tasks] == ["training"]
