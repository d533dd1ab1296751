"""The documentation site: every page is in it, every name of the API, and a link that leads nowhere ends the build."""

import pytest

import alfa_md
from scripts.site import PAGES, build, collect, with_links
from tests.shared import ROOT


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "pages").mkdir()
    collect(tmp_path / "pages")
    return tmp_path / "pages"


def test_names_of_pages_become_links():
    assert with_links("see `docs/data.md`, `README.md`") == "see [`docs/data.md`](data.md), [`README.md`](index.md)"


def test_every_page_is_in_the_menu():
    assert {file.stem for file in (ROOT / "docs").glob("*.md")} <= PAGES.keys()


@pytest.mark.slow
def test_the_site_is_built_from_readme_docs_and_docstrings(pages, tmp_path):
    assert build(pages, tmp_path / "site") == 0
    assert all((tmp_path / "site" / f"{name}.html").exists() for name in PAGES)
    api = (tmp_path / "site" / "api.html").read_text("utf-8")
    assert all(f'id="{name.lower()}"' in api for name in alfa_md.__all__)
    assert 'href="data.html"' in (tmp_path / "site" / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_a_link_that_leads_nowhere_ends_the_build(pages, tmp_path):
    (pages / "data.md").write_text("[nowhere](nowhere.md)")
    assert build(pages, tmp_path / "site") == 1
