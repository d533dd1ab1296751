"""The README: its commands run, and the names in it exist."""

import re
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_alfa_on_your_own_module_learns():
    """The example as printed, with the error of every task recorded: the last hundred are better than the first."""
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    errors = []
    line = "    outer.zero_grad()\n"
    code = code.replace(line, line + "    errors.append(error(fast, slice(10, 20)).item())\n")
    torch.manual_seed(0)
    exec(code, {"errors": errors})
    assert len(errors) == 1000 and sum(errors[-100:]) < 0.7 * sum(errors[:100])


def test_every_path_in_the_folder_map_exists():
    section = TEXT.split("## Where things are")[1].split("\n\n")[1]
    for line in section.strip().splitlines():
        first, *others = re.split(r"\s{2,}", line.strip())[0].split()
        assert (ROOT / first).exists(), first
        for name in others:  # beside the first one, or from the root
            assert (ROOT / first).parent.joinpath(name).exists() or (ROOT / name).exists(), name


def test_every_gin_file_and_command_in_the_readme_exists():
    named = (set(re.findall(r"`(\w+\.gin)`", TEXT)) - {"config.gin"}) | {
        Path(p).name for p in re.findall(r"gin/(\w+\.gin)", TEXT)
    }
    assert named and all((ROOT / "gin" / name).exists() for name in named)
    modules = set(re.findall(r"python -m alfa_md\.(\w+)", TEXT))
    assert modules == {"train", "evaluate", "compare", "convert", "report", "plot", "check", "episodes"}
    assert all((ROOT / "alfa_md" / f"{name}.py").exists() for name in modules)
    assert all((ROOT / script).exists() for script in re.findall(r"^    (scripts/\w+\.sh)", TEXT, re.MULTILINE))
