"""Commands under faults of their surroundings: streams, locale, signals, limits. Real processes, each a few seconds."""

import os
import signal
import subprocess
import sys
import time

import pytest

from alfa_md.system.startup import is_command, spell
from tests.shared import ROOT

FEW = ("train.num_updates = 2", "train.num_validation_episodes = 2", "train.log_every = 1")
TINY = "\n".join((*FEW, "GradientLearner.rule = @alfa"))
TRAIN = ("train", "--gin_config=gin/parts/sine.gin", f"--gin_bindings={TINY}", "--run_dir=run")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def words(*arguments: str) -> list[str]:
    return [sys.executable, "-m", f"alfa_md.{arguments[0]}", *arguments[1:]]


def surroundings(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | more


def in_shell(folder, redirection: str, *arguments: str, before: str = "") -> subprocess.CompletedProcess:
    """Runs a command by the shell, with redirections or a pipe behind it."""
    line = f'{before}"$@" {redirection}'
    command = ["bash", "-c", line, "bash", *words(*arguments)]
    return subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, encoding="utf-8")


def test_a_run_in_another_locale_at_a_path_that_is_no_utf8(tmp_path):
    """Its files are those of a run in UTF-8, although Python would read and write ASCII."""
    name = b"no\xffutf\xc3\xa9"
    command = [*map(os.fsencode, words(*TRAIN[:-1])), b"--run_dir=" + name]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings(**ASCII), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Run directory: no\\udcffutf\\xe9\n" in done.stdout and b"+-" in done.stdout
    run = tmp_path / os.fsdecode(name)
    assert "no\\udcffutfé" in (run / "run.json").read_text("utf-8") and (run / "checkpoints" / "last.pt").exists()


def test_a_reader_that_leaves_does_not_end_a_training(tmp_path):
    done = in_shell(tmp_path, "| head -1", *TRAIN, before="set -o pipefail; ")
    assert done.returncode == 0 and (tmp_path / "run" / "checkpoints" / "last.pt").exists()
    assert done.stderr == "stdout: Broken pipe; the command goes on without it\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">&-", ""),
        ("2>&-", ""),
        (">&- 2>&- <&-", ""),
        ("> /dev/full", "stdout: No space left on device; the command goes on without it\n"),
        ("> /dev/full 2> /dev/full", ""),
    ],
)
@pytest.mark.parametrize("entry", ["train", "evaluate"])
def test_closed_and_full_streams_end_no_command(tmp_path, entry, redirection, told):
    arguments, written = TRAIN, "run/checkpoints/last.pt"
    if entry == "evaluate":
        assert in_shell(tmp_path, "", *TRAIN).returncode == 0
        arguments, written = ("evaluate", "--run_dir=run", "--num_episodes=2"), "run/results/test.json"
    done = in_shell(tmp_path, redirection, *arguments)
    assert (done.returncode, done.stderr) == (0, told) and (tmp_path / written).exists()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0, 1.5, 2.0])
def test_ctrl_c_within_the_imports_is_one_word(tmp_path, seconds):
    longer = (*TRAIN, "--gin_bindings=train.num_updates = 10000")
    process = subprocess.Popen(words(*longer), cwd=tmp_path, env=surroundings(), stderr=subprocess.PIPE)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130 and errors in (b"interrupted\n", b"")  # the latter in training, which saves


@pytest.mark.slow
def test_an_ignored_ctrl_c_stays_ignored(tmp_path):
    done = in_shell(tmp_path, "& sleep 1; kill -INT $!; wait $!", *TRAIN)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [200_000, 300_000, 800_000])
def test_too_little_memory_is_no_traceback(tmp_path, kilobytes):
    done = in_shell(tmp_path, "", *TRAIN, before=f"ulimit -v {kilobytes}; ")
    assert "Traceback" not in done.stderr and done.stderr.count("error: ") == (done.returncode == 2)


@pytest.mark.slow
def test_a_working_directory_that_is_gone_is_one_line(tmp_path):
    (tmp_path / "gone").mkdir()
    done = in_shell(tmp_path, "", *TRAIN, before="cd gone; rmdir ../gone; ")
    last = done.stderr.splitlines()[-1]  # after what Bash says
    assert done.returncode == 2 and last.startswith("error: the working directory: No such file or directory; change")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_tables_are_drawn_in_every_encoding(tmp_path, encoding):
    assert in_shell(tmp_path, "", *TRAIN).returncode == 0
    command = words("evaluate", "--run_dir=run", "--num_episodes=2")
    environment = surroundings(PYTHONIOENCODING=encoding, COLUMNS="0")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    table = done.stdout.decode(encoding)
    assert done.returncode == 0 and "| sine " in table and {"ascii": "+-", "latin-1": "±"}[encoding] in table


def test_characters_that_an_encoding_lacks_are_spelt():
    text = "± ä 漢 \udcff"
    assert spell(UnicodeEncodeError("ascii", text, 0, len(text), "")) == ("+- \\xe4 \\u6f22 \\udcff", len(text))


@pytest.mark.parametrize(
    ("argv", "original", "expected"),
    [
        (["-m"], ["python", "-m", "alfa_md.train", "--seed=1"], True),
        (["-m"], ["python", "-m", "alfa_md", "train"], True),
        (["/usr/bin/alfa-md", "train"], ["python", "/usr/bin/alfa-md", "train"], True),
        (["-m"], ["python", "-m", "alfa_md_other"], False),
        (["/usr/bin/pytest", "alfa-md"], ["python", "-m", "pytest", "alfa-md"], False),
        (["-c"], ["python", "-c", "import alfa_md"], False),
        ([], ["python"], False),
    ],
)
def test_commands_are_told_from_programs_that_use_the_package(monkeypatch, argv, original, expected):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert is_command() is expected


def test_a_process_that_only_uses_the_package_is_left_alone():
    code = "import signal, sys, alfa_md; print(sys.excepthook is sys.__excepthook__, signal.getsignal(signal.SIGINT))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.stdout.startswith("True <built-in function default_int_handler>")
