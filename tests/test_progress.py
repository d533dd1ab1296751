"""Progress: plain lines where there is no terminal, a bar where there is one."""

import io
import sys

import pytest
from rich.console import Console

from alfa_md import progress
from alfa_md.progress import CONSOLE, Progress, track


def test_no_terminal_gets_a_plain_line_now_and_then(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress("training", 8, done=4) as shown:
        for remark in ("loss 3", "loss 2", "loss 1"):
            now[0] += 8.0
            shown.advance(remark)
    # 8 s: too early; 16 s: more than 15 since the start; 24 s: too early again; then the last line.
    assert capsys.readouterr().out == "training 6/8 16 s loss 2\ntraining 7/8 24 s loss 1\n"


def test_a_line_that_is_said_stands_alone(capsys):
    with Progress("training", 0) as shown:
        shown.say("update 100: validation 50.00 %")
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


def test_track_hands_on_every_item_and_counts(capsys):
    assert list(track(iter("abc"), "test omniglot", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().out == "test omniglot 3/3 0 s\n"


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "CONSOLE", console)
    with Progress("training", 4, done=1) as shown:
        shown.advance("loss 1.5")
        shown.say("a line that stays")
    text = console.file.getvalue()
    assert "2/4" in text and "loss 1.5" in text and text.count("a line that stays") == 1
