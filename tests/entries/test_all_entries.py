"""Common behaviour of all commands: `--help`, and bad input in a process of its own."""

import re
import sys

import pytest

import alfa_md
from alfa_md.__main__ import COMMANDS
from alfa_md.evaluation import comparison
from tests.entries.harness import Outcome, run_entry, spawn_entry
from tests.shared import ROOT

EXPLANATIONS = {
    "train": {"gin_config", "gin_bindings", "records_root_dir", "run_dir", "seed", "device", "seeds"} | {"cache_dir"},
    "evaluate": {"run_dir", "checkpoint", "sources", "num_episodes", "split", "baselines", "records_root_dir", "seed"}
    | {
        "device",
        "seeds",
        "query_std",
        "gin_bindings",
        "name",
        "cache_dir",
        "trust",
        "grid",
        "choose_on",
        "choose_episodes",
    },
    "compare": {"split"},
    "convert": {"source_dir", "records_root_dir", "from", "to", "workers", "limit_per_class", "dry_run"}
    | {"verify", "skip_unreadable"},
    "report": {"out"},
    "export": {"run_dir", "to", "checkpoint", "licence", "trust"},
    "plot": {"run_dir", "out", "checkpoint", "source", "split", "num_episodes", "step", "index", "seed", "device"}
    | {"records_root_dir", "cache_dir", "trust"},
    "predict": {"run_dir", "checkpoint", "gin_config", "gin_bindings", "trust", "support", "query", "out", "calibrate"}
    | {"skip_unreadable", "device"},
    "check": {"records_root_dir", "sources", "full", "out", "workers", "cache_dir"},
    "episodes": {"source", "split", "num_episodes", "index", "seed", "out", "dumped", "run_dir", "checkpoint", "device"}
    | {"gin_config", "gin_bindings", "records_root_dir", "cache_dir", "trust"},
}


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("evaluate", ["--run_dir=nowhere"], "nowhere is not a run directory"),
        ("compare", ["nowhere", "nowhere"], "no results at nowhere"),
    ],
)
def test_bad_input_in_a_process_of_its_own(tmp_path, name, arguments, message):
    outcome = spawn_entry(name, *arguments, cwd=tmp_path)
    assert message in outcome.error
    assert outcome.out == "" and list(tmp_path.iterdir()) == []


def test_ctrl_c_where_there_is_nothing_to_save_is_one_word(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "compare_results", interrupted)
    assert run_entry("compare", "a", "b", cwd=tmp_path) == Outcome(130, "", "interrupted\n")


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_help_explains_every_flag(tmp_path, name):
    outcome = run_entry(name, "--help", cwd=tmp_path)
    explained = dict(re.findall(r"^  (?:-\w,)?--(?:\[no\])?(\w+): (.+)", outcome.out, re.MULTILINE))
    assert explained.keys() == EXPLANATIONS[name]
    assert all(len(text) > 10 for text in explained.values())
    assert f"python -m alfa_md.{name}" in outcome.out and outcome.err == "" and outcome.code == 0


def test_no_entry_is_left_out():
    entries = {file.stem for file in (ROOT / "alfa_md").glob("*.py") if '__name__ == "__main__"' in file.read_text()}
    assert set(EXPLANATIONS) == set(COMMANDS) == entries - {"__main__"}


def test_the_console_command_lists_all_commands_and_its_version(tmp_path):
    listed = run_entry("__main__", cwd=tmp_path)
    assert listed.code == 0 and listed.err == "" and run_entry("__main__", "--help", cwd=tmp_path) == listed
    assert tuple(re.findall(r"^  (\w+) +[A-Z].+", listed.out, re.MULTILINE)) == COMMANDS
    assert not re.search(r" $", listed.out, re.MULTILINE)
    assert run_entry("__main__", "--version", cwd=tmp_path) == Outcome(0, f"alfa_md {alfa_md.__version__}\n", "")


def test_the_console_command_is_the_command_of_its_name(tmp_path, monkeypatch):
    """It parses the same flags, explains the same, and imports modules of the working directory for gin files."""
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    (tmp_path / "my_rules.py").write_text("raise ImportError('my rules were found')\n")
    words = ("train", "--gin_config=gin/maml.gin", "--gin_bindings=import my_rules")
    assert "my rules were found" in run_entry("__main__", *words, cwd=tmp_path).error
    explained = [run_entry(*names, "--help", cwd=tmp_path).out for names in (["__main__", "report"], ["report"])]
    assert explained[0] == explained[1] and "--out: The HTML file" in explained[0]
