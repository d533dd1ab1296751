"""Unscoped overrides of every scoped call of every gin file, after its stored configuration: in force or refused."""

import contextlib
from collections.abc import Iterator

import gin
import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from tests.entries.harness import needs_tensorflow
from tests.shared import ROOT

pytestmark = needs_tensorflow
FILES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "gin").glob("**/*.gin") if path.parent.name != "parts"
)
FAST = ("gin/omniglot_proto_maml_alfa.gin", "gin/few_shot/maml_l2f.gin", "gin/paper/table1_conv4_alfa_maml.gin")
AFTER = ("gin/quickstart.gin", "gin/md_v2/all.gin", "gin/md_v2/imagenet.gin", "gin/real_ten/all.gin")  # another file
QUICKSTART = AFTER[0]
EACH = [pytest.param(file, marks=() if file in FAST else pytest.mark.slow) for file in FILES if file not in AFTER]
OTHER = {bool: lambda value: not value, int: lambda value: value + 1, float: lambda value: value / 2 + 0.125}
OTHER |= {str: lambda value: "bicubic" if value == "lanczos" else "float32", type(None): lambda value: 5}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def stored(*files: str) -> str:
    """The configuration of a run of these files, whose learner, readers and transforms have been called."""
    config.parse(files)
    with torch.device("meta"), contextlib.suppress(NotImplementedError):  # nothing to initialise
        experiment = definition.build_experiment(0)
        gin.get_bindings(experiment.reader.__name__)
    return config.operative()


def scoped_calls() -> dict[str, set[str]]:
    """The scopes of all calls so far by selector, of those with some scope."""
    found: dict[str, set[str]] = {}
    for scope, selector in gin.config._OPERATIVE_CONFIG:
        found.setdefault(selector, set()).add(scope)
    return {selector: scopes for selector, scopes in found.items() if scopes != {""} and selector != "gin.macro"}


def in_force(scope: str, selector: str, name: str) -> object:
    """The value that a call takes."""
    with gin.config_scope(scope.split("/") if scope else None):
        bound = gin.get_bindings(selector, resolve_references=False)
    return bound[name]


def overrides(calls: dict[str, set[str]]) -> Iterator[tuple[str, str, object]]:
    """Selector, parameter and another value of the parameters of plain values in calls."""
    seen = set()
    for (_, selector), values in dict(gin.config._OPERATIVE_CONFIG).items():
        for name, value in values.items():
            if selector in calls and type(value) in OTHER and (selector, name) not in seen:
                seen.add((selector, name))
                yield selector, name, OTHER[type(value)](value)


def check(text: str, file, taken: list, refused: list, trusted=None) -> None:
    """Every override is in force in all calls, or is refused by the name of a binding in force.

    On an opened run (`trusted` is not None) one that is in force in calls without scope is accepted.
    """
    file.write_text(text)
    calls = scoped_calls()
    for selector, name, value in list(overrides(calls)):
        binding = f"{selector}.{name} = {value!r}"
        deliberate = [line for line in text.splitlines() if f"/{selector.split('.')[-1]}.{name} =" in line]
        try:
            config.parse([str(file)], [binding], trusted)
        except UserError as error:
            if " must be " in str(error):  # of another type
                continue
            assert deliberate and any(line.split(" =")[0] in str(error) for line in deliberate), (binding, error)
            refused.append(binding)
            continue
        needed = {""} if trusted is not None and "" in calls[selector] else calls[selector]
        assert all(in_force(scope, selector, name) == value for scope in needed), binding
        taken.append(binding)


@pytest.mark.parametrize("trusted", [None, ()], ids=["made again", "opened"])
@pytest.mark.parametrize("file", EACH)
def test_an_override_after_a_stored_configuration(file, trusted, tmp_path):
    taken, refused = [], []
    check(stored(file), tmp_path / "config.gin", taken, refused, trusted)
    assert taken
    sampling = {binding.split(".")[-1].split(" ")[0] for binding in refused if "Sampling" in binding}
    limited = {"max_ways_upper_bound", "max_support_set_size"} if "omniglot" in file and trusted is None else set()
    assert sampling == limited
    if "few_shot" in file:
        assert any(binding.endswith("Transform.size = 29") for binding in refused)


def test_after_the_quickstart(tmp_path):
    taken = []
    check(stored("gin/proto_maml_alfa.gin", QUICKSTART), tmp_path / "config.gin", taken, [])
    names = " ".join(taken)
    assert all(name in names for name in ("Sampling.num_ways", "FourLayerConvNet.num_filters", "max_gigabytes")), names


@pytest.mark.parametrize("name", ["images", "plain", "pretraining", "random", "sine"])
def test_after_a_run_of_an_older_version(name, tmp_path):
    file = ROOT / "tests" / "stored_runs" / name / "config.gin"
    config.parse([str(file)])
    definition.build_experiment(0)
    taken, refused = [], []
    check(config.operative(), tmp_path / "config.gin", taken, refused)  # calls of today
    for binding in taken:
        config.parse([str(file)], [binding])
        selector, name = binding.split(" = ")[0].rsplit(".", 1)
        for scope in ("", "train") if "Sampling" in selector else ("BACKBONE",):
            assert repr(in_force(scope, selector, name)) == binding.split(" = ")[1]
    for binding in refused:
        with pytest.raises(UserError, match="does not replace train/Sampling"):
            config.parse([str(file)], [binding])
    assert taken
