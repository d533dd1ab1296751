"""Includes of gin files, and the imports of a run's configuration."""

import sys

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.gin_files import GIN_FILES
from tests.entries.harness import working_directory


@pytest.fixture(autouse=True)
def clean_gin():
    places = gin.config._LOCATION_PREFIXES[:]
    yield
    gin.clear_config()
    assert not GIN_FILES.open_files and GIN_FILES.trusted is None and gin.config._LOCATION_PREFIXES == places


def write(folder, **texts: str):
    """Writes NAME.gin files; returns the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.gin").write_text(text)
    return str(folder / f"{next(iter(texts))}.gin")


def test_an_include_is_found_beside_its_file_before_the_working_directory(tmp_path):
    own = write(tmp_path / "a", own="include 'base.gin'\ninclude 'gin/maml.gin'\ninclude 'deep/one.gin'\n", base="")
    write(tmp_path / "a" / "deep", one="include 'two.gin'\n", two="GradientLearner.num_steps = 7\n")
    write(tmp_path, two="GradientLearner.num_steps = 8\n", base="no.such = 1\n")
    with working_directory(tmp_path):
        config.parse([own])
    assert gin.query_parameter("GradientLearner.num_steps") == 7


def test_a_macro_that_only_an_included_file_uses_is_used(tmp_path):
    own = write(tmp_path, own="include 'base.gin'\nRegressionMLP.hidden = (3,)\n", base="")
    write(tmp_path, base="include 'gin/paper/table8_maml.gin'\nMINE = (4,)\nRegressionMLP.hidden = %MINE\n")
    config.parse([own])
    assert gin.query_parameter("RegressionMLP.hidden") == (3,)


@pytest.mark.parametrize(
    ("includes", "circle"),
    [
        ({"a": "a.gin"}, "a.gin -> a.gin"),
        ({"a": "b.gin", "b": "./c.gin", "c": "a.gin"}, "a.gin -> b.gin -> c.gin -> a.gin"),
        ({"a": "b.gin", "b": "b.gin"}, "b.gin -> b.gin"),
    ],
)
def test_a_file_that_includes_itself_is_refused(tmp_path, includes, circle):
    file = write(tmp_path, **{name: f"include '{other}'" for name, other in includes.items()})
    with pytest.raises(UserError, match=rf"^gin: \S+\.gin includes itself \({circle}\); remove one of these includes$"):
        config.parse([file])


def test_a_file_may_be_included_twice(tmp_path):
    c = "import alfa_md.data.images.transform\nTransform.size = 20\n"
    config.parse([write(tmp_path, a="include 'b.gin'\ninclude 'c.gin'\n", b="include 'c.gin'\n", c=c)])
    assert gin.query_parameter("Transform.size") == 20


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "a.gin").write_bytes(b"# \xff\n")
    with pytest.raises(UserError, match=r"^gin: \S+a.gin is not a text file in UTF-8"):
        config.parse([str(tmp_path / "a.gin")])
    with pytest.raises(UserError, match="^gin: brackets are nested too deeply"):
        config.parse([write(tmp_path, b="train.num_updates = " + "(" * 20000)])


def test_scopes_of_a_run_are_dropped_and_those_of_other_files_kept(tmp_path):
    text = "# Parameters for train/Sampling:\n# ====\ntrain/Sampling.num_ways = 5\n"
    for folder in ("run", "other"):
        write(tmp_path / folder, config=f"include 'gin/parts/data.gin'\nIMAGE_SIZE = 9\n{text}")
    (tmp_path / "run" / "run.json").touch()
    config.parse([str(tmp_path / "run" / "config.gin")])
    assert gin.query_parameter("Sampling.num_ways") == 5
    config.parse([str(tmp_path / "other" / "config.gin")])
    assert gin.query_parameter("train/Sampling.num_ways") == 5
    with pytest.raises(ValueError):
        gin.query_parameter("Sampling.num_ways")
    with pytest.raises(UserError, match="does not replace train/Sampling.num_ways = 5"):
        config.parse([str(tmp_path / "other" / "config.gin")], ["Sampling.num_ways = 6"])


@pytest.fixture
def traced(tmp_path, monkeypatch):
    """A module that leaves a trace when it is imported."""
    (tmp_path / "untold.py").write_text("from pathlib import Path\nPath(__file__).with_name('trace').touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: (tmp_path / "trace").exists()
    sys.modules.pop("untold", None)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import untold", "untold"),
        ("import untold as alfa_md", "untold"),
        ("import alfa_md.rules.sgd\nimport untold.x", "untold.x"),
        ("from untold import alfa_md", "untold.alfa_md"),
        ("from __gin__ import dynamic_registration\nimport alfa_md.errors", "__gin__.dynamic_registration"),
        ("include 'other.gin'", "untold"),
        ("sgd.inner_rate = 1\n\nimport \\\n    untold", "untold"),
        ("import alfa_md_other", "alfa_md_other"),
    ],
)
def test_an_import_that_is_not_trusted_is_refused_before_it_runs(tmp_path, traced, text, module):
    file = write(tmp_path, config=f"import alfa_md.rules.sgd\n{text}\n", other="import untold\n")
    with pytest.raises(UserError) as caught:
        config.parse([file], trusted=())
    top = module.split(".")[0]
    assert f"imports {module}, which runs code" in str(caught.value) and f"add --trust={top} (" in str(caught.value)
    assert not traced() and "untold" not in sys.modules


def test_a_module_that_is_named_or_in_a_file_of_the_user_is_imported(tmp_path, traced):
    file = write(tmp_path, config="import untold\n")
    config.parse([file], trusted=["untold"])
    assert traced()
    (tmp_path / "trace").unlink(), sys.modules.pop("untold")
    config.parse([file])
    assert traced()
    (tmp_path / "trace").unlink(), sys.modules.pop("untold")
    config.parse(["gin/maml.gin"], ["import untold"], trusted=())  # given by the user
    assert traced()
