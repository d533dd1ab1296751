"""Architecture of the package, read from its source: layers of imports, and the uses of TensorFlow and gin."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.shared import ROOT

# Layers from the top down. A module may import from lower floors and from its own room; a package's modules are in its
# room unless listed themselves. Rooms of one floor do not import each other.
FLOORS = (
    ({"__main__"},),
    ({"train", "evaluate", "compare", "convert", "report", "plot", "episodes", "check", "predict", "export"},),
    ({"main"},),
    ({"training"}, {"plotting"}, {"interop"}),
    ({"reporting"},),
    ({"evaluation"},),
    ({"experiment"},),
    ({"prediction"},),
    ({"learners"}, {"data"}),
    ({"inner_loop"},),
    ({"rules"}, {"heads"}, {"backbones"}),
    (
        {
            *("data.spec", "data.spec_kinds", "data.parse_spec", "data.prepared", "data.layouts", "data.fields"),
            *("data.sampling", "data.class_selection"),
        },
    ),
    ({"episode", "params", "flat_params", "objectives", "metrics", "normalization", "accumulators", "pixels"},),
    ({"kernels"},),
    ({"system"},),
    ({"errors", "values", ""},),
    ({"system.startup", "system.exhaustion"},),  # before the imports of a command
)
PLACES = {
    name: (floor, room) for floor, rooms in enumerate(FLOORS) for room, names in enumerate(rooms) for name in names
}


def parsed() -> dict[str, ast.Module]:
    """Every module by its name below the package ("" is the package itself)."""
    package = ROOT / "alfa_md"
    files = {path.relative_to(package).with_suffix(""): path for path in package.rglob("*.py")}
    names = {".".join(path.parts).removesuffix("__init__").rstrip("."): file for path, file in files.items()}
    return {name: ast.parse(file.read_text(), str(file)) for name, file in names.items()}


MODULES = parsed()


def imported(tree: ast.Module) -> set[str]:
    """The dotted names that a module imports anywhere, `from a import b` as a.b, including `import_module`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: write imports absolutely"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return found


def inner_imports(tree: ast.Module) -> set[str]:
    """The modules of the package that a module imports."""
    names = {name.removeprefix("alfa_md").lstrip(".") for name in imported(tree) if name.split(".")[0] == "alfa_md"}
    return {name if name in MODULES else name.rpartition(".")[0] for name in names}


def place(module: str) -> tuple[int, int]:
    """(floor, room) of a module: its own, or that of its package."""
    name = module
    while name and name not in PLACES:
        name = name.rpartition(".")[0]
    if module and not name:
        pytest.fail(f"alfa_md/{module}.py has no floor yet: add it to FLOORS in {Path(__file__).name}")
    return PLACES[name]


def allowed(importer: str, target: str) -> bool:
    here, there = place(importer), place(target)
    return there == here or there[0] > here[0]


def test_every_module_has_a_floor_and_every_name_in_the_table_a_module():
    for module in MODULES:
        place(module)
    assert set(PLACES) <= set(MODULES)
    with pytest.raises(pytest.fail.Exception, match="alfa_md/unheard_of.py has no floor yet: add it to FLOORS"):
        place("unheard_of")


def test_imports_go_down():
    wrong = [
        f"alfa_md.{module} imports alfa_md.{target}"
        for module, tree in MODULES.items()
        for target in inner_imports(tree)
        if not allowed(module, target)
    ]
    assert not wrong, "; ".join(wrong)


def test_the_rule_of_the_floors_itself():
    assert allowed("training.loop", "learners.base") and allowed("data.mixture", "data.sampling")
    assert not allowed("learners.base", "training.loop") and not allowed("data.sampling", "data.mixture")
    assert not allowed("learners.gradient", "data.mixture") and not allowed("data.mixture", "learners.base")
    assert not allowed("rules.alfa", "backbones.resnet18") and not allowed("training.loop", "train")
    assert allowed("training.hooks", "evaluation.results") and not allowed("evaluation.results", "training.hooks")


def test_the_top_is_commands_and_shared_words():
    """A top-level module is a command or is used by several packages; there are at most eleven of these."""
    top = {module for module in MODULES if module and "." not in module and not is_package(module)}
    commands = {module for module in top if place(module)[0] <= place("main")[0]}
    assert len(top - commands) <= 11
    for module in top - commands:
        assert sum(module in targets for targets in outer_imports().values()) >= 2, module


def outer_imports() -> dict[str, set[str]]:
    """The top-level imports of every top-level module or package."""
    found: dict[str, set[str]] = {}
    for module, tree in MODULES.items():
        here = module.split(".")[0]
        found.setdefault(here, set()).update({name.split(".")[0] for name in inner_imports(tree)} - {here})
    return found


def is_package(module: str) -> bool:
    return (ROOT / "alfa_md" / module / "__init__.py").exists()


def test_there_is_no_circle_between_the_places_of_the_top():
    order = TopologicalSorter(outer_imports()).static_order()
    assert {"training", "evaluation", "system"} <= set(order)


def test_there_is_no_circle():
    """A topological order of all modules; CycleError names the cycle if there is one."""
    order = TopologicalSorter({module: inner_imports(tree) for module, tree in MODULES.items()}).static_order()
    assert set(order) == set(MODULES)


def test_tensorflow_is_imported_under_tfrecord_alone():
    importers = {
        module for module, tree in MODULES.items() if any(n.split(".")[0] == "tensorflow" for n in imported(tree))
    }
    assert importers and all(module.startswith("data.tfrecord.") for module in importers)


def test_libraries_of_an_extra_are_imported_in_one_place():
    """Only where they are needed: the import of transformers alone takes seconds."""
    libraries = {"transformers", "huggingface_hub", "timm", "torchvision"}
    importers = {name for name, tree in MODULES.items() if {n.split(".")[0] for n in imported(tree)} & libraries}
    assert importers == {"system.extras", "backbones.foreign.libraries"}
    for name in importers:
        at_once = [node for node in MODULES[name].body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not {n.split(".")[0] for n in imported(ast.Module(at_once, []))} & libraries


def test_specifications_and_sampling_need_numpy_alone():
    room = next(room for rooms in FLOORS for room in rooms if "data.spec" in room)
    for module in room:
        outside = {name.split(".")[0] for name in imported(MODULES[module])} - set(sys.stdlib_module_names)
        assert outside <= {"alfa_md", "numpy", "gin"}, module


def test_gin_is_only_a_decorator():
    """Except in the modules that read and store configurations, the code must run the same without gin."""
    names = ("config", "differences", "gin_files", "gin_values", "inlined_models", "overrides")
    names += ("picture_inputs", "small_sizes", "stored_config")
    readers = {f"experiment.{name}" for name in names}
    assert readers <= MODULES.keys()
    for module in MODULES.keys() - readers:
        tree = MODULES[module]
        assert not any(name.startswith("gin.") for name in imported(tree)), f"{module}: write `import gin`"
        decorators = {id(getattr(d, "func", d)) for node in ast.walk(tree) for d in getattr(node, "decorator_list", ())}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "gin":
                is_decorator = node.attr == "configurable" and id(node) in decorators
                assert is_decorator or node.attr == "REQUIRED", f"alfa_md.{module}, line {node.lineno}: gin.{node.attr}"


WITHOUT_TENSORFLOW = """
import importlib, pkgutil, sys
sys.modules["tensorflow"] = None  # every import of it fails from now on

import alfa_md
names = [module.name for module in pkgutil.walk_packages(alfa_md.__path__, "alfa_md.")]
for name in names:
    importlib.import_module(name)

import torch
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner
learner = small_learner()
optimizer = torch.optim.Adam(learner.parameters(), lr=0.01)
state = TrainState(learner, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 100))
losses = [outer_step(state, [random_episode()], clip_norm=10.0)[0] for _ in range(10)]
assert losses[-1] < losses[0], losses
assert sys.modules["tensorflow"] is None
print(len(names))
"""


def test_everything_imports_and_a_learner_trains_without_tensorflow():
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == len(MODULES) - 1  # all but alfa_md itself
