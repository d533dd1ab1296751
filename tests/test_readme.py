"""README and docs: their code runs, and every command, flag, gin file, binding and path in them exists."""

import re
import shlex
from functools import cache
from pathlib import Path

import gin
import pytest
import torch

from alfa_md.__main__ import COMMANDS
from alfa_md.errors import UserError
from alfa_md.experiment import config
from tests.shared import ROOT

README = (ROOT / "README.md").read_text()
WRITTEN = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.md") if path.name != "errors.md"}
PAGES = {"README": README} | WRITTEN
FLAGS = ("gin_config", "gin_bindings")
FOLDERS = ("alfa_md", "benchmarks", "docs", "gin", "results", "scripts", "tests", "third_party", "weights")
ABSENT = {"third_party/meta-dataset"}  # of the user
ATTRIBUTES = {"static = True"}  # of a module, not bound
# One of these has every macro of a binding.
BASES = ("gin/proto_maml_alfa.gin", "gin/paper/table1_conv4_alfa_maml.gin", "gin/paper/table8_alfa_maml.gin")
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def text_of(page: str) -> str:
    """A page without the new files of docs/extending.md, which `tests/test_extending.py` runs."""
    return re.sub(r"^```\w+\n# \S+.*\n(.*\n)*?```", "", PAGES[page], flags=re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The words of every command, in blocks and in lines."""
    joined = re.sub(r"\\\n\s+", "", text)
    indented = re.findall(r"^    ((?:python|torchrun|alfa-md|scripts/)\S* .*|scripts/\S+)$", joined, re.MULTILINE)
    inline = [" ".join(found.split()) for found in re.findall(r"`((?:python|alfa-md |scripts/)[^`]*)`", joined)]
    return [shlex.split(line, comments=True) for line in [*indented, *inline]]


def module_of(words: list[str]) -> str | None:
    if words[0] == "alfa-md":
        return f"alfa_md.{words[1]}"
    return words[words.index("-m") + 1] if "-m" in words else None


def inline_code(text: str) -> list[str]:
    return [
        " ".join(found.split()) for found in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    ]


def bindings(text: str) -> set[str]:
    """The gin bindings on a page, in commands and in the text."""
    given = {word.split("=", 1)[1] for words in commands(text) for word in words if word.startswith("--gin_bindings=")}
    return given | {code for code in inline_code(text) if re.fullmatch(r"[\w/]+(\.\w+)? = .+", code)} - ATTRIBUTES


@cache
def gin_imports() -> tuple[str, ...]:
    """Import lines for every module with something that gin configures."""
    files = [path for path in (ROOT / "alfa_md").rglob("*.py") if "@gin.configurable" in path.read_text()]
    return tuple(f"import {'.'.join(path.relative_to(ROOT).with_suffix('').parts)}" for path in files)


def is_accepted(base: str, binding: str) -> bool:
    """True if gin accepts a binding after the gin file `base`: every name in it exists, and its type fits."""
    try:
        config.parse([base], [*gin_imports(), binding])
    except UserError:
        return False
    return True


def exists(path: str) -> bool:
    return path in ABSENT or (ROOT / path).exists()


def test_the_readme_is_short_and_names_every_page():
    assert len(README.splitlines()) <= 250
    assert {path.name for path in (ROOT / "docs").glob("*.[mi]*") if path.is_file()} == set(
        re.findall(r"^\* `docs/(\S+)`", README, re.MULTILINE)
    )


def test_alfa_on_your_own_module_learns():
    """The example as printed, with the error of every task recorded: the last hundred are better than the first."""
    code = re.search(r"```python\n(import torch\n.*?)```", README, re.DOTALL)[1]
    errors = []
    line = "    outer.zero_grad()\n"
    code = code.replace(line, line + "    errors.append(error(fast, slice(10, 20)).item())\n")
    torch.manual_seed(0)
    exec(code, {"errors": errors})
    assert len(errors) == 1000 and sum(errors[-100:]) < 0.7 * sum(errors[:100])


def test_a_run_is_opened_and_scores_an_episode(monkeypatch):
    monkeypatch.chdir(ROOT)
    found: dict = {}
    exec(re.search(r"```python\n(import alfa_md\n.*?)```", README, re.DOTALL)[1], found)
    assert found["scores"].shape == found["episode"].query_y.shape
    assert found["run"].learner.adapted(found["episode"]).keys() >= {"head.weight", "head.bias"}
    assert found["run"].facts["name"] == "table8_alfa_maml"


def test_every_path_in_the_folder_map_exists():
    section = README.split("## Where things are")[1].split("\n\n")[1]
    for line in section.strip().splitlines():
        first, *others = re.split(r"\s{2,}", line.strip())[0].split()
        assert (ROOT / first).exists(), first
        for name in others:  # beside the first one, or from the root
            assert (ROOT / first).parent.joinpath(name).exists() or (ROOT / name).exists(), name


def test_every_module_and_folder_of_the_package_is_in_the_map():
    section = README.split("## Where things are")[1].split("\n\n")[1]
    named = {Path(word).name for word in section.split()}
    top = [path for path in (ROOT / "alfa_md").iterdir() if not path.name.startswith("_")]
    assert not [path.name for path in top if path.name not in named]


@every_page
def test_every_command_and_flag_exists(page):
    for words in commands(text_of(page)):
        module = module_of(words)
        if words[0].startswith("scripts/"):
            assert (ROOT / words[0]).exists(), words
            module = {"scripts/reproduce.sh": "scripts.reproduce"}.get(words[0])
        if module is None:
            continue
        file = ROOT / (module.replace(".", "/") + ".py")
        assert file.exists(), words
        defined = re.findall(r'(?:DEFINE_\w+\(\s*"|add_argument\("--)([\w-]+)"', file.read_text())
        given = [
            word[2:].split("=")[0]
            for word in words[words.index("-m") + 2 if "-m" in words else 1 :]
            if word[:2] == "--"
        ]
        assert set(given) <= set(defined), words


@every_page
def test_gin_files_and_bindings_of_a_command_go_together(page):
    for words in commands(text_of(page)):
        given = {flag: [word.split("=", 1)[1] for word in words if word.startswith(f"--{flag}=")] for flag in FLAGS}
        if given["gin_config"]:
            config.parse(given["gin_config"], given["gin_bindings"])  # raises UserError
            assert config.gin.config_str(), words


def test_every_command_of_the_package_is_in_the_readme():
    modules = {module_of(words) for words in commands(README)}
    assert {module.removeprefix("alfa_md.") for module in modules if module} == set(COMMANDS)


@every_page
def test_every_named_path_exists(page):
    text = text_of(page)
    for code in inline_code(text):
        if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", code):
            assert exists(code), code
    for name in re.findall(r"\bgin/[\w/]+\.gin", text):
        assert exists(name), name
    if page == "README":
        named = set(re.findall(r"`(\w+\.gin)`", text)) - {"config.gin"}
        assert named and all((ROOT / "gin" / name).exists() for name in named)


@every_page
def test_every_binding_and_reference_is_accepted(page):
    for binding in sorted(bindings(text_of(page))):
        assert any(is_accepted(base, binding) for base in BASES), binding
    references = {
        code[1:].removesuffix("()") for code in inline_code(text_of(page)) if re.fullmatch(r"@\w+(\(\))?", code)
    }
    if references:
        config.parse([BASES[0]], gin_imports())
        for name in references:
            assert gin.get_configurable(name), name
