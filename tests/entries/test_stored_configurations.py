"""The configuration of a run, used again with overrides by evaluate, train, episodes and plot."""

import json
import sys
from pathlib import Path

import gin
import pytest

import alfa_md
from alfa_md.experiment import config
from tests.entries.harness import copied, environment, run_entry
from tests.tiny_pictures import save

FLAGS = ("--gin_config=gin/few_shot/maml.gin", "--records_root_dir=images", "--run_dir=run")
BINDINGS = (
    *("DATA = 'quickdraw'", "Experiment.test_sources = ('quickdraw',)", "FixedWay.queries = 2"),
    *("Conv4.num_filters = 4", "NUM_FEATURES = 4", "train.num_updates = 1", "train.num_validation_episodes = 1"),
)


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A folder with images, and a run on them whose transforms are called in scopes."""
    folder = tmp_path_factory.mktemp("drawn")
    for split in ("train", "valid", "test"):
        for number in range(5):
            for image in range(3):
                save(folder / "images" / "quickdraw" / split / f"class{number}" / f"{image}.png", 40 * number + image)
    with environment(folder / "cache"):
        outcome = run_entry("train", *FLAGS, *(f"--gin_bindings={line}" for line in BINDINGS), cwd=folder)
    assert outcome.code == 0, outcome
    return folder


@pytest.fixture
def folder(drawn, tmp_path) -> Path:
    copied(drawn, tmp_path / "drawn")
    facts = tmp_path / "drawn" / "run" / "run.json"
    facts.write_text(facts.read_text().replace(str(drawn), str(tmp_path / "drawn")))
    return tmp_path / "drawn"


def evaluate(folder: Path, *lines: str):
    """Evaluates three episodes under bindings; returns the outcome and the results."""
    flags = [f"--gin_bindings={line}" for line in lines]
    outcome = run_entry("evaluate", "--run_dir=run", "--num_episodes=3", "--name=other", *flags, cwd=folder)
    file = folder / "run" / "results" / "test-other.json"
    return outcome, json.loads(file.read_text()) if file.exists() else None


def as_an_older_version_wrote_it(folder: Path) -> None:
    """Replaces config.gin by gin's operative text, with the bindings of `train`."""
    file = folder / "run" / "config.gin"
    alfa_md.open_run(folder / "run", None).source().episode(0)
    trained = [line for line in file.read_text().splitlines() if line.startswith(("train.", "TASKS ="))]
    file.write_text("\n".join([gin.operative_config_str(max_line_length=120), *trained, ""]))
    gin.clear_config()
    assert "picture/Transform.channels = 3" in file.read_text()


@pytest.mark.parametrize("line", ["Transform.invert = True", "picture/Transform.size = 20"])
def test_evaluate_takes_an_override_and_records_it(folder, line):
    outcome, results = evaluate(folder, line)
    assert outcome.code == 0, outcome
    name, value = line.split(".")[1].split(" = ")
    assert str(results["sources"]["quickdraw"]["data"]["transform"][name]) == value
    assert results["protocol"]["bindings"] == [line]


def test_evaluate_refuses_one_that_nothing_calls(folder):
    outcome, results = evaluate(folder, "Sampling.num_ways = 3")
    words = "nothing calls Sampling here, so that Sampling.num_ways has no effect; leave it out"
    assert outcome.error == f"gin: {words}" and outcome.code == 2 and results is None


def test_evaluate_refuses_one_out_of_reach_and_writes_nothing(folder):
    outcome, results = evaluate(folder, "Transform.size = 20")
    assert outcome.error == (
        "gin: Transform.size = 20 does not replace ink/Transform.size = 28 and picture/Transform.size = 28, in force "
        "there; bind ink/Transform.size and picture/Transform.size as well"
    )
    assert results is None


def test_a_run_of_an_older_version_takes_or_refuses_it_too(folder):
    as_an_older_version_wrote_it(folder)
    lines = ["Transform.mean = (0.5, 0.5, 0.5)", "Transform.std = (2, 2, 2)", "picture/Transform.invert = True"]
    outcome, results = evaluate(folder, *lines)
    assert outcome.code == 0, outcome
    transform = results["sources"]["quickdraw"]["data"]["transform"]
    assert (transform["mean"], transform["std"], transform["invert"]) == ([0.5] * 3, [2] * 3, True)
    assert "picture/Transform.invert = False, in force there" in evaluate(folder, "Transform.invert = True")[0].error
    resumed = run_entry("train", *FLAGS, *(f"--gin_bindings={line}" for line in BINDINGS), cwd=folder)
    assert resumed.code == 0, resumed


def test_train_takes_an_override_of_a_stored_configuration(folder):
    flags = ["--gin_config=run/config.gin", "--records_root_dir=images", "--run_dir=again"]
    assert run_entry("train", *flags, "--gin_bindings=Transform.invert = True", cwd=folder).code == 0
    old, new = ((folder / name / "config.gin").read_text() for name in ("run", "again"))
    assert config.differences(old, new) == ["Transform.invert: False -> True"]
    assert (
        "replace ink/Transform.size"
        in run_entry("train", *flags, "--gin_bindings=Transform.size = 3", cwd=folder).error
    )


def test_episodes_take_it(folder):
    def picture(name: str, *lines: str) -> bytes:
        flags = ["--run_dir=run", f"--out={name}", *(f"--gin_bindings={line}" for line in lines)]
        assert run_entry("episodes", "show", *flags, cwd=folder).code == 0
        return (folder / f"{name}.png").read_bytes()

    inverted = picture("a", "Transform.invert = True")
    assert inverted == picture("b", "picture/Transform.invert = True") != picture("c")
    refused = run_entry("episodes", "show", "--run_dir=run", "--gin_bindings=Transform.size = 20", cwd=folder)
    assert "does not replace ink/Transform.size = 28" in refused.error


COMMANDS = {
    "evaluate": ("--num_episodes=1",),
    "episodes": ("replay", "--num_episodes=1"),
    "plot": ("episode",),
}


@pytest.fixture
def imports(folder, monkeypatch):
    """A module beside the package that leaves a trace, imported by the run's configuration."""
    (folder / "my_code.py").write_text("from pathlib import Path\nPath(__file__).with_name('trace').touch()\n")
    stored = folder / "run" / "config.gin"
    stored.write_text(f"import my_code\n{stored.read_text()}")
    monkeypatch.syspath_prepend(folder)
    yield
    sys.modules.pop("my_code", None)


@pytest.mark.parametrize("command", COMMANDS)
def test_code_beside_the_package_is_named_and_trusted_by_a_flag(folder, imports, command):
    flags = [*COMMANDS[command], "--run_dir=run"]
    error = run_entry(command, *flags, cwd=folder).error
    assert error.startswith("gin: run/config.gin imports my_code, which runs code that is not of this package;")
    assert error.endswith("add --trust=my_code (for open_run, trust=['my_code'])")
    assert not (folder / "trace").exists() and "my_code" not in sys.modules
    assert run_entry(command, *flags, "--trust=other,my_code", cwd=folder).code == 0
    assert (folder / "trace").exists()
    del sys.modules["my_code"]
    alfa_md.open_run(folder / "run", trust=["my_code"])
