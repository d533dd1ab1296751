"""Data roots: precedence of flag, environment and earlier run, and the announcement."""

import pytest

from alfa_md.data import roots
from alfa_md.data.miniature.sources import miniature_sources
from alfa_md.data.paths import cache_dir
from alfa_md.data.roots import Root, announcement, images_root, no_root, records_root
from alfa_md.data.spec import save_spec
from alfa_md.errors import UserError


@pytest.fixture(autouse=True)
def nothing_given(tmp_path, monkeypatch):
    """No environment variable, and a miniature that costs nothing."""
    monkeypatch.delenv(roots.RECORDS_VARIABLE, raising=False)
    monkeypatch.delenv(roots.IMAGES_VARIABLE, raising=False)
    monkeypatch.setattr(roots, "miniature_root", lambda: tmp_path / "miniature")


@pytest.fixture
def records(tmp_path):
    """Makes a records root of one source."""

    def make(name):
        folder = tmp_path / name / "omniglot"
        folder.mkdir(parents=True)
        (folder / "dataset_spec.json").write_text("{}")
        return tmp_path / name

    return make


def recorded(path, kind="records"):
    return {"data_root": str(path), "data_kind": kind}


def test_flag_before_environment_before_the_runs_own_before_the_miniature(tmp_path, records, monkeypatch):
    flag, environment, own = records("flag"), records("environment"), records("own")
    assert records_root(None, None) == (tmp_path / "miniature", "miniature")
    assert records_root(None, recorded(own)) == (own, "records")
    monkeypatch.setenv(roots.RECORDS_VARIABLE, str(environment))
    assert records_root(None, recorded(own)) == records_root(None, None) == (environment, "records")
    assert records_root(str(flag), recorded(own)) == records_root(str(flag), None) == (flag, "records")


def test_a_run_on_the_miniature_is_evaluated_on_the_miniature_of_this_machine(tmp_path):
    elsewhere = recorded(tmp_path / "elsewhere", "miniature")
    assert records_root(None, elsewhere) == (tmp_path / "miniature", "miniature")


def test_paths_are_made_absolute(records, monkeypatch):
    path = records("records")
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("HOME", str(path.parent))
    assert records_root("records", None).path == records_root("~/records", None).path == path


@pytest.mark.parametrize("given", ["flag", "environment", "own"])
def test_a_missing_or_empty_root_is_an_error_and_not_the_miniature(tmp_path, monkeypatch, given):
    def ask(path):
        monkeypatch.setenv(roots.RECORDS_VARIABLE, str(path) if given == "environment" else "")
        own = recorded(path) if given == "own" else None
        return records_root(str(path) if given == "flag" else None, own)

    with pytest.raises(UserError, match="absent does not exist; set --records_root_dir or META_DATASET_RECORDS"):
        ask(tmp_path / "absent")
    (tmp_path / "empty" / "omniglot").mkdir(parents=True)
    with pytest.raises(UserError, match=r"empty holds no \*/dataset_spec.json; set --records_root_dir"):
        ask(tmp_path / "empty")


def test_pickled_specifications_are_refused_with_a_remedy(tmp_path):
    (tmp_path / "omniglot").mkdir()
    (tmp_path / "omniglot" / "dataset_spec.pkl").touch()
    with pytest.raises(UserError, match="omniglot/dataset_spec.pkl: is never opened.* convert the source"):
        records_root(str(tmp_path), None)


def test_the_miniature_announces_itself_loudly(tmp_path):
    text = announcement(Root(tmp_path, "miniature"))
    assert "EMBEDDED MINIATURE DATA" in text and "NOT Meta-Dataset" in text and "--records_root_dir" in text
    assert announcement(Root(tmp_path, "records")) == f"Records: {tmp_path}"


def test_images_by_flag_before_environment_before_the_runs_own(tmp_path, monkeypatch):
    flag, environment, own = (tmp_path / name for name in ("flag", "environment", "own"))
    for folder in (flag, environment, own):
        folder.mkdir()
    assert images_root(None, recorded(own, "images")) == (own, "images")
    monkeypatch.setenv(roots.IMAGES_VARIABLE, str(environment))
    assert images_root(None, recorded(own, "images")) == images_root("", None) == (environment, "images")
    assert images_root(str(flag), None) == (flag, "images")
    assert announcement(images_root(str(flag), None)) == f"Images: {flag}"


def test_missing_image_roots(tmp_path):
    remedy = "set --records_root_dir or ALFA_MD_IMAGES to the folder that holds mini_imagenet/"
    with pytest.raises(UserError, match=f"reads images, and no folder is given; {remedy}"):
        images_root(None, recorded(tmp_path))  # the run was one on records
    with pytest.raises(UserError, match=f"absent does not exist; {remedy}"):
        images_root(str(tmp_path / "absent"), None)


def test_generated_data_needs_no_folder(tmp_path):
    root = no_root(str(tmp_path / "absent"), None)
    assert root.kind == "generated" and not root.path.exists()
    assert announcement(root) == "Generated data: nothing is read from disk."


def test_cache_directory_by_override_xdg_and_default(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("ALFA_MD_CACHE", raising=False)
    assert cache_dir() == tmp_path / ".cache" / "alfa_md"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "alfa_md"
    monkeypatch.setenv("ALFA_MD_CACHE", "~/mine")
    assert cache_dir() == tmp_path / "mine"


def test_a_copy_of_the_miniature_is_the_miniature_whoever_names_it(tmp_path, records, monkeypatch):
    """One of its sources among others is enough."""
    path = records("records")
    assert records_root(str(path), None).kind == "records"
    spec = miniature_sources()["dtd"].spec
    save_spec(spec, path / "dtd")
    assert records_root(str(path), None) == (path, "miniature")
    monkeypatch.setenv(roots.RECORDS_VARIABLE, str(path))
    assert records_root(None, None).kind == "miniature" and "NOT Meta-Dataset" in announcement(records_root(None, None))
