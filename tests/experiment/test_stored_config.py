"""The text of config.gin: scopes as bound, and values that read again."""

from enum import Enum
from math import inf, nan

import gin
import numpy as np
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.stored_config import UNUSED, operative, used_part
from tests.shared import ROOT


@gin.configurable
def blend(colour="red", share=0.5, parts=()):
    """A configurable with defaults of three types."""
    return colour, share, parts


@gin.configurable
def picture_of(first=None, second=None, third=None):
    """A configurable that takes others."""
    return first, second, third


class Colour(Enum):
    RED = 1


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def stored(*bindings: str) -> str:
    """The text after a call of `picture_of` under these bindings."""
    config.parse([], bindings)
    picture_of()
    return operative()


def reread(folder, text: str, *bindings: str):
    """What `picture_of` returns under a stored text and bindings."""
    (folder / "config.gin").write_text(text)
    config.parse([str(folder / "config.gin")], bindings, trusted=())
    return picture_of()


SCOPED = ("picture_of.first = @blend()", "picture_of.second = @dark/blend()", "dark/blend.share = 0.1")


def test_a_value_stands_in_the_scope_where_it_was_bound_and_a_default_in_none():
    lines = used_part(stored(*SCOPED, "blend.colour = 'blue'")).splitlines()
    bound = {line for line in lines if "blend." in line and not line.startswith("#")}
    assert bound == {"blend.colour = 'blue'", "blend.parts = ()", "blend.share = 0.5", "dark/blend.share = 0.1"}


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ((), (("red", 0.5, ()), ("red", 0.1, ()))),
        (("blend.colour = 'blue'",), (("blue", 0.5, ()), ("blue", 0.1, ()))),
        (("blend.share = 0.2",), (("red", 0.2, ()), ("red", 0.1, ()))),  # as after the bindings themselves
        (("dark/blend.share = 0.2",), (("red", 0.5, ()), ("red", 0.2, ()))),
    ],
)
def test_an_override_acts_after_the_text_as_after_the_bindings(tmp_path, override, values):
    config.parse([], [*SCOPED])
    text = stored(*SCOPED)
    assert reread(tmp_path, text, *override)[:2] == values
    assert operative() == stored(*SCOPED, *override)


def test_what_was_bound_and_not_used_is_kept_apart(tmp_path):
    text = stored("picture_of.first = 1", "blend.share = %SHARE", "SHARE = 0.25", "DATA = @blend()")
    used, unused = text.split(f"\n{UNUSED}")
    assert "blend" not in used and "blend.share = %SHARE" in unused and "SHARE = 0.25" in unused
    assert config.differences(text, stored("picture_of.first = 1")) == []
    assert reread(tmp_path, text, "picture_of.first = %DATA")[0] == ("red", 0.25, ())


NUMBERS = (inf, -inf, -0.0, 1e-300, 10**30, -3, True, 2j, np.float32(0.1), np.int64(3), np.bool_(True))
TEXTS = (None, "", "two\nlines", 'it\'s "quoted"', "\u00e9\u2028\udcff\x00", b"\xff", {"k": "long " * 60})
LISTS = ((1,), [], {"b": (inf, [None]), 1: {"a": -inf}}, ("word " * 60, "x" * 300), [np.float64(inf)])


@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, *LISTS], ids=str)
def test_a_value_reads_again(tmp_path, value):
    config.parse([], [])
    with gin.unlock_config():
        gin.bind_parameter("picture_of.first", value)
    picture_of()
    text = operative()
    first, *_ = reread(tmp_path, text)
    assert first == value and operative() == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (nan, "nan"),
        ({1, 2}, "a set"),
        (Colour.RED, "a Colour"),
        (range(3), "a range"),
        (1 + 2j, "a complex"),
        (ROOT, "a PosixPath"),
        (np.zeros(2), "a ndarray"),
        (16**5000, "a int"),
        ([{"x": frozenset()}], "a frozenset"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("name", ["picture_of.first", "dark/blend.share", "SHARE"])
def test_a_value_that_gin_cannot_write_is_refused_by_its_name(name, value, kind):
    config.parse([], [*SCOPED, "SHARE = 1", "picture_of.third = %SHARE"])
    with gin.unlock_config():
        gin.bind_parameter(f"{name}/macro.value" if name.isupper() else name, value)
    picture_of()
    with pytest.raises(UserError, match=f"^gin: {name} is bound to {kind}, which config.gin cannot hold; bind numbers"):
        operative()


def test_a_constant_is_written_by_its_name(tmp_path):
    gin.constant("tests.RED", Colour.RED)
    text = stored("picture_of.first = %tests.RED")
    assert "picture_of.first = %tests.RED" in text and reread(tmp_path, text)[0] is Colour.RED


def test_a_number_too_large_for_a_float_is_kept(tmp_path):
    text = stored("picture_of.first = 1e400", "BIG = -1e400", "picture_of.second = [%BIG]")
    assert reread(tmp_path, text)[:2] == (inf, [-inf])
