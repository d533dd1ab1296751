"""The wheel and the sdist: what they hold, and the documented commands in environments that have only them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import alfa_md
from alfa_md.__main__ import COMMANDS
from tests.installations import Installation, build_sdist, build_wheel, install
from tests.shared import ROOT

pytestmark = pytest.mark.slow
FILES = ("--gin_config=gin/proto_maml_alfa.gin", "--gin_config=gin/quickstart.gin")
FEW = ("--gin_bindings=train.num_updates = 2", "--gin_bindings=train.num_validation_episodes = 2")
SINE = ROOT / "tests" / "stored_runs" / "sine"
STRICT = "[mypy]\nstrict = True\n[mypy-typed_program]\ndisallow_any_expr = True\n"
PARSED = """
from importlib import import_module
from pathlib import Path

import gin
import alfa_md
from alfa_md.experiment import config

for name in {commands}:
    import_module(f"alfa_md.{{name}}")
for file in sorted(config.ROOT.glob("gin/*.gin")):
    config.parse([str(file.relative_to(config.ROOT))])
Path("gin/parts").mkdir(parents=True)
Path("gin/parts/own.gin").write_text("include 'gin/parts/small.gin'\\ntrain.num_updates = 7\\n")
Path("gin/quickstart.gin").write_text("include 'gin/maml_alfa.gin'\\ninclude 'gin/parts/own.gin'\\n")
config.parse(["gin/quickstart.gin"])
print(alfa_md.__file__, gin.__file__, gin.query_parameter("train.num_updates"))
"""


def contents(folder: str) -> set[str]:
    files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


def check_types(made: Installation) -> None:
    """Asserts that mypy accepts the program of a user without an expression of type Any, and refuses misuse."""
    (made.work / "mypy.ini").write_text(STRICT)
    for name in ("typed_program.py", "misused_api.py"):
        (made.work / name).write_text((ROOT / "tests" / name).read_text())
    options = (f"--python-executable={made.folder / 'bin' / 'python'}", "--no-incremental", "--config-file=mypy.ini")
    command = [sys.executable, "-m", "mypy", *options, "typed_program.py", "misused_api.py"]
    done = subprocess.run(command, cwd=made.work, capture_output=True, text=True)
    assert done.stdout == "Success: no issues found in 2 source files\n", done


def test_the_wheel(tmp_path):
    """Holds the package with the gin files, no more; its commands run from an empty folder; its API is typed."""
    file = build_wheel(tmp_path)
    with zipfile.ZipFile(file) as wheel:
        names = {name for name in wheel.namelist() if not name.startswith(f"alfa_md-{alfa_md.__version__}.dist-info/")}
        assert names == contents("alfa_md") | {f"alfa_md/{name}" for name in contents("gin")}
        assert wheel.read("alfa_md/gin/quickstart.gin") == (ROOT / "gin" / "quickstart.gin").read_bytes()
    made = install(file, tmp_path)
    assert "EMBEDDED MINIATURE" in made.run("python", "-m", "alfa_md.train", *FILES, *FEW, "--run_dir=run")
    assert "mscoco" in made.run("alfa-md", "evaluate", "--run_dir=run", "--num_episodes=2")
    assert made.run("alfa-md", "--version") == f"alfa_md {alfa_md.__version__}\n"
    check_types(made)
    printed = made.run("python", "typed_program.py", str(SINE))
    assert printed.startswith("adapted\nTrue sine test episode 0 of seed 0\n")
    assert "table8_alfa_maml on sine: " in printed


def test_the_sdist(tmp_path):
    """Holds the repository; a command and all gin files are found from an empty folder, and those in it come first."""
    file = build_sdist(tmp_path)
    with tarfile.open(file) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    folders = ("alfa_md", "gin", "docs", "scripts", "tests", "results", "benchmarks", "findings")
    top = {path.name for path in ROOT.iterdir() if path.suffix in (".md", ".txt", ".cff", ".toml", ".cfg", ".py")}
    assert top | {".ci/run", "LICENSE"} | set().union(*map(contents, folders)) <= names
    made = install(file, tmp_path)
    made.run("alfa-md", "train", *FILES, *FEW, "--run_dir=run")
    assert (made.work / "run" / "checkpoints" / "best.pt").is_file()
    package, gin, updates = made.run("python", "-c", PARSED.format(commands=COMMANDS)).split()
    assert Path(package).parent == made.site_packages / "alfa_md" and Path(gin).parent == made.site_packages / "gin"
    assert updates == "7"
