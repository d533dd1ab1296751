"""The wheel and the sdist: what they hold, and the documented commands in environments that have only them."""

import tarfile
import zipfile
from pathlib import Path

import pytest

import alfa_md
from alfa_md.__main__ import COMMANDS
from tests.installations import build, install
from tests.shared import ROOT

pytestmark = pytest.mark.slow
FILES = ("--gin_config=gin/proto_maml_alfa.gin", "--gin_config=gin/quickstart.gin")
FEW = ("--gin_bindings=train.num_updates = 2", "--gin_bindings=train.num_validation_episodes = 2")
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


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("built"))


def contents(folder: str) -> set[str]:
    files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_has_the_package_with_the_gin_files_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = {name for name in wheel.namelist() if not name.startswith(f"alfa_md-{alfa_md.__version__}.dist-info/")}
        assert names == contents("alfa_md") | {f"alfa_md/{file}" for file in contents("gin")}
        assert "alfa_md/py.typed" in names
        assert wheel.read("alfa_md/gin/quickstart.gin") == (ROOT / "gin" / "quickstart.gin").read_bytes()


def test_the_sdist_has_the_repository(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    folders = ("alfa_md", "gin", "docs", "scripts", "tests", "results", "benchmarks", "findings")
    top = {path.name for path in ROOT.iterdir() if path.suffix in (".md", ".txt", ".cff", ".toml", ".cfg", ".py")}
    assert top | {".ci/run", "LICENSE"} | set().union(*map(contents, folders)) <= names


def test_an_installed_wheel_runs_the_documented_commands_from_an_empty_folder(built, tmp_path):
    made = install(built[0], tmp_path)
    assert "EMBEDDED MINIATURE" in made.run("python", "-m", "alfa_md.train", *FILES, *FEW, "--run_dir=run")
    assert "mscoco" in made.run("alfa-md", "evaluate", "--run_dir=run", "--num_episodes=2")
    assert "include" not in (made.work / "run" / "config.gin").read_text("utf-8")
    assert made.run("alfa-md", "--version") == f"alfa_md {alfa_md.__version__}\n"


def test_an_installed_sdist_trains_and_finds_every_gin_file(built, tmp_path):
    """From an empty folder; a file in the working folder comes before the shipped one, its includes too."""
    made = install(built[1], tmp_path)
    made.run("alfa-md", "train", *FILES, *FEW, "--run_dir=run")
    assert (made.work / "run" / "checkpoints" / "best.pt").is_file()
    package, gin, updates = made.run("python", "-c", PARSED.format(commands=COMMANDS)).split()
    assert Path(package).parent == made.site_packages / "alfa_md" and Path(gin).parent == made.site_packages / "gin"
    assert updates == "7"
