"""`import alfa_md`: a light import, and the names of the API with documentation, whatever is imported before."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from types import FunctionType, ModuleType

import pytest

import alfa_md
from tests.shared import ROOT

LIGHT = "import sys, alfa_md; sys.exit(bool({'torch', 'numpy', 'gin', 'rich', 'absl'} & sys.modules.keys()))"


def test_the_package_alone_imports_none_of_its_libraries():
    assert subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", alfa_md.__all__)
def test_a_name_is_documented(name):
    found = getattr(alfa_md, name)
    assert inspect.getdoc(found) and name in dir(alfa_md)
    assert found.__module__.startswith("alfa_md.") and re.search(rf"\b{name}\b", alfa_md.__doc__)
    if isinstance(found, type):
        own = [member for key, member in vars(found).items() if key[0] != "_" and isinstance(member, FunctionType)]
        assert all(map(inspect.getdoc, own))


def test_type_checkers_see_the_same_names_from_the_same_modules():
    stub = ast.parse((ROOT / "alfa_md" / "__init__.pyi").read_text())
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    assert all(alias.name == alias.asname for node in imports for alias in node.names)
    assert {alias.name: node.module for node in imports for alias in node.names} == alfa_md._LAZY


def test_the_function_evaluate_stays_when_the_command_of_its_name_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "alfa_md.evaluate", raising=False)
    command = import_module("alfa_md.evaluate")
    assert isinstance(command, ModuleType) and callable(command.main)
    from alfa_md import evaluate

    assert evaluate is alfa_md.evaluate is import_module("alfa_md.evaluation.evaluate").evaluate
    assert isinstance(import_module("alfa_md.train"), ModuleType) and isinstance(alfa_md.train, ModuleType)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'alfa_md' has no attribute 'evaluat'"):
        alfa_md.evaluat  # noqa: B018


def test_more_can_be_imported_after_a_run_is_opened():
    code = "import alfa_md; alfa_md.open_run('tests/stored_runs/sine'); import alfa_md.learners.fine_tuning"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
