"""Bad values of every flag of every command; python -m tests.fuzz.commands prints what is not refused and counts."""

import importlib
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.entries.harness import bindings, environment, run_entry, small_run, write_root
from tests.fuzz.forking import Ended, in_child
from tests.fuzz.gin_values import preload
from tests.pictures import write_query, write_support
from tests.shared import ROOT

VALUES = (
    *("", "0", "-1", "1.5", "1e9", str(2**64), "9" * 5000, "nan", "x", "~nosuchuser", "~nosuchuser/x", "../x"),
    *(
        ".",
        "..",
        "/dev/null/x",
        "a" * 300,
        "a\nb",
        "\u00e9",
        "a,b",
        ",",
        "[]",
        "None",
        "x = 3",
        "= 3",
        "@",
        "%s",
        "true",
    ),
)
WORDS = {
    "train": ([*bindings(), "--records_root_dir=records", "--run_dir=new"],),
    "evaluate": (["--run_dir=run", "--sources=omniglot", "--num_episodes=1", "--name=x"],),
    "episodes": (
        ["dump", "--run_dir=run", "--num_episodes=1", "--out=dumped"],
        ["show", "--run_dir=run", "--out=x.png"],
        ["replay", "--dumped=nowhere", "--run_dir=run", "--num_episodes=1"],
    ),
    "plot": (["episode", "--run_dir=run", "--out=x"], ["curves", "run"], ["hyperparameters", "--run_dir=run"]),
    "check": (["--records_root_dir=records", "--workers=1"],),
    "compare": (["run", "run"],),
    "report": (["run"],),
    "export": (["--run_dir=run", "--to=exported"],),
    "predict": (["--run_dir=run", "--support=labelled", "--query=pictures", "--out=x.csv"],),
    "convert": (
        ["omniglot", "--source_dir=x", "--records_root_dir=new", "--workers=1"],
        ["checkpoint", "--from=run/checkpoints/best.pt", "--to=new.pt"],
    ),
}


def flags_of(entry: str) -> list[str]:
    """The names of the flags that a command defines."""
    return re.findall(r'DEFINE_\w+\(\s*"(\w+)"', (ROOT / "alfa_md" / f"{entry}.py").read_text())


def attempts(entry: str) -> list[list[str]]:
    """The arguments to try: every flag with every value, after valid ones, and further words."""
    found = []
    for valid in WORDS[entry]:
        found += [[*valid, f"--{flag}={value}"] for flag in flags_of(entry) for value in VALUES]
        found += [[*valid, word] for word in ("train.num_updates=5", "", "x", "-", "~nosuchuser", "a\nb")]
    return found


def run_in(folder: Path, entry: str, words: list[str]) -> Ended:
    return in_child(lambda: run_entry(entry, *words, cwd=folder), folder.parent / "log")


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder within `folder` that holds records and a small run, in an environment of its own."""
    work, cache = folder / "work", folder / "cache"
    work.mkdir()
    cache.mkdir()
    preload()
    importlib.import_module("matplotlib.pyplot")
    with environment(cache):
        root = write_root(work / "records")
        write_support(work / "labelled", 2)
        write_query(work / "pictures", 2)
        in_child(lambda: small_run(work, root) and run_entry("compare", cwd=work), folder / "log")
        yield work


def main(entries: list[str]) -> None:
    counts = Counter()
    with tempfile.TemporaryDirectory() as name, workplace(Path(name)) as folder:
        for entry in entries or WORDS:
            for words in attempts(entry):
                ended = run_in(folder, entry, words)
                counts[ended.kind] += 1
                if ended.kind not in ("refused", "ran"):
                    print(ended.kind, entry, words[-1][:60], ended.text[-300:], flush=True)
                elif ended.kind == "ran":
                    print("ran", entry, words[0], words[-1][:60], flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
