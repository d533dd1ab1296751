"""Names in lists: found in any Unicode form, never outside of the folder of the data set."""

from pathlib import Path
from unicodedata import normalize

import pytest

from alfa_md.data.listed_files import listed_path, match_names
from alfa_md.errors import UserError

COMPOSED, DECOMPOSED = (normalize(form, "espècie 01") for form in ("NFC", "NFD"))
LIST = Path("splits.json")


def test_a_name_in_another_unicode_form_is_the_same_file(tmp_path):
    (tmp_path / DECOMPOSED).mkdir()
    assert listed_path(tmp_path, COMPOSED, LIST) == tmp_path / DECOMPOSED
    assert listed_path(tmp_path, DECOMPOSED, LIST) == tmp_path / DECOMPOSED
    assert listed_path(tmp_path, "missing", LIST) == tmp_path / "missing"
    assert match_names([COMPOSED, "ant"], [DECOMPOSED, "bee"]) == [DECOMPOSED, "ant"]


def test_of_two_names_that_differ_in_form_alone_each_is_itself(tmp_path):
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).mkdir()
        assert listed_path(tmp_path, name, LIST).name == name
    assert match_names([COMPOSED, DECOMPOSED], [DECOMPOSED, COMPOSED]) == [COMPOSED, DECOMPOSED]


@pytest.mark.parametrize("name", ["../ant", "ant/../../ant", "/ant", "..", "link", "link/bee"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    own, outside = tmp_path / "own", tmp_path / "outside"
    for folder in (own, outside):
        (folder / "bee").mkdir(parents=True)
    (own / "link").symlink_to(outside)
    with pytest.raises(UserError, match="leads out of"):
        listed_path(own, name, LIST)
    (own / "inside").symlink_to(own / "bee")
    assert listed_path(own, "inside", LIST) == own / "inside"


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000, "ant\0", "\ud800"])
def test_what_cannot_be_a_name_is_refused_in_one_line(tmp_path, name):
    with pytest.raises(UserError, match=r"splits\.json: lists '.*, which cannot be the name of a file$"):
        listed_path(tmp_path, name, LIST)
