"""Error handling of all commands: one line and exit code 2 for user errors, a traceback for bugs."""

import errno
import sys

import gin
import pytest
from absl import flags

from alfa_md.errors import UserError, require_at_least
from alfa_md.main import parse_seeds, run
from alfa_md.system import exhaustion


@pytest.fixture
def ended(monkeypatch, capsys):
    """Runs a `main` as a command; returns (exit code, stderr)."""
    monkeypatch.setattr(sys, "argv", ["entry"])

    def call(main):
        try:
            with pytest.raises(SystemExit) as caught:
                run(main)
        finally:
            flags.FLAGS.unparse_flags()
        return caught.value.code, capsys.readouterr().err

    return call


def raising(error):
    def main(argv):
        raise error

    return main


@gin.configurable("raising_in_gin", module="tests")
def raising_in_gin(error):
    raise error


FULL = OSError(errno.ENOSPC, "No space left on device", "run/metrics.jsonl")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("wrong; do this"), "wrong; do this"),
        (UserError("class 'a\nb\x1b[31m' is wrong"), "class 'a\\nb\\x1b[31m' is wrong"),
        (FULL, "run/metrics.jsonl: No space left on device; free some space and run the command again; what the file "
            "held before is kept"),
        (PermissionError(errno.EACCES, "Permission denied", "run"), "run: Permission denied; give it other permissions "
            "or choose another folder"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.bin"), "a.bin: No such file or directory"),
        (RuntimeError("Required bindings for `train` not provided"), "Required bindings for `train` not provided"),
        (RuntimeError("Required bindings for 'a\x1b[2J'"), "Required bindings for 'a\\x1b[2J'"),
        (MemoryError(), exhaustion.MEMORY),
        (RuntimeError("can't start new thread"), exhaustion.THREADS),
        (OSError(errno.ENOSPC, "No space left on device"), exhaustion.DISK),
    ],
)  # fmt: skip
def test_errors_of_the_user_are_one_line(ended, error, line):
    assert ended(raising(error)) == (2, f"error: {line}\n")
    assert ended(lambda argv: raising_in_gin(error)) == (2, f"error: {line}\n")


@pytest.mark.parametrize("error", [OSError("image file is truncated"), RuntimeError("ours"), ValueError("ours")])
def test_our_own_errors_are_not_hidden(monkeypatch, error):
    monkeypatch.setattr(sys, "argv", ["entry"])
    try:
        with pytest.raises(type(error), match=str(error)):
            run(raising(error))
    finally:
        flags.FLAGS.unparse_flags()


def test_ctrl_c_is_one_word(ended):
    assert ended(raising(KeyboardInterrupt())) == (130, "interrupted\n")


@pytest.mark.parametrize("code", [None, 0, 3])
def test_the_exit_code_is_what_main_returns(ended, code):
    assert ended(lambda argv: code) == (code, "")


@pytest.mark.parametrize("value", [0, -1, 0.5, float("nan")])
def test_the_least_value_is_asked_of_each_by_name(value):
    with pytest.raises(UserError, match=rf"^train.log_every = {value} must be at least 1$"):
        require_at_least(1, "train", num_updates=1, log_every=value)


def test_seeds_are_distinct_integers():
    assert parse_seeds(["0", "2", "0"]) == [0, 2]
    with pytest.raises(UserError, match="--seeds=0,-1: give whole numbers separated by commas"):
        parse_seeds(["0", "-1"])
