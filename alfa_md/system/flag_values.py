"""Checks of the values of flags, the same for every command: not empty, not too large, no unknown user after `~`."""

from collections.abc import Sequence
from typing import Any

from absl import flags

from alfa_md.errors import UserError
from alfa_md.system.user_path import user_path

LARGEST = 2**63 - 1  # of PyTorch's seeds, and of what a counter holds


def check_flags() -> None:
    """Raises UserError for a value of a flag of the command that is empty, too large or in an unknown user's home."""
    for flag in flags.FLAGS.get_key_flags_for_module("__main__"):
        if flag.present:
            for value in _values(flag):
                _check(flag, value)


def refuse_words(argv: Sequence[str]) -> None:
    """Raises UserError if there are words besides the flags; `argv[0]` is the command."""
    if len(argv) > 1:
        word = argv[1]
        meant = f"; write --gin_bindings='{word}'" if "=" in word else "; flags begin with --"
        raise UserError(f"{word}: this command takes flags only{meant}")


def _values(flag: flags.Flag) -> Sequence[Any]:
    """The values of a flag: those of a flag given several times, the names of a list, "" for an empty list."""
    if not isinstance(flag.value, list):
        return [flag.value]
    names = flag.value if isinstance(flag, flags.MultiFlag) else [name for name in flag.value if name]
    return names or [""] * (not flag.value)


def _check(flag: flags.Flag, value: Any) -> None:
    if value == "" and flag.default not in ("", []):
        raise UserError(f"--{flag.name}= is empty; give a value or leave it out")
    if isinstance(value, int) and value > LARGEST:
        raise UserError(f"--{flag.name}: {str(value)[:30]}... is too large; give at most {LARGEST}")
    if isinstance(value, str) and value.startswith("~"):
        user_path(value)
