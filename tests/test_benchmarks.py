"""Benchmarks: every reader returns episodes, every case trains, and the tables have a row for each."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from alfa_md.data.sampling import ClassDraw
from alfa_md.errors import UserError
from benchmarks import data, inner_loop, train
from benchmarks.build import Build
from benchmarks.cases import CASES, COARSE, CONV4, FURTHER, KEPT, LOW, PLAIN, RESNET12, STACKED, TOGETHER, Form, work
from benchmarks.flops import gigaflop
from benchmarks.memory import measure_in_subprocess
from benchmarks.page import write_chapter
from benchmarks.readers import READERS
from benchmarks.records import KINDS, Kind, synthesise
from benchmarks.stream_reader import places_of
from scripts.errors import one_line_errors
from tests.noise import CPU
from tests.shared import ROOT

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
TINY = Kind(9, 14, 40, 30, 5.0)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_gives_episodes(reader, tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "tiny", TINY)
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))
    read = READERS[reader](synthesise("tiny", tmp_path))
    for _ in range(2):
        images = read()
        assert len(images) >= 10 and images.shape[1:] == (3, 84, 84) and -1 <= images.min() < images.max() <= 1


def test_the_stream_is_asked_as_the_official_protocol_has_it():
    """Classes of 10 images: the second episode would read past the end of the first class, whose rest is flushed."""
    draws = [[ClassDraw(0, 4, 2), ClassDraw(1, 1, 2)], [ClassDraw(0, 3, 2), ClassDraw(1, 2, 2)]]
    one, two = (episode.tolist() for episode in places_of(iter(draws), (10, 10)))
    assert one == [2] * 1000 + [0] * 4 + [1] + [2] * 495 + [0, 0, 1, 1] + [2] * 496
    assert two == [0] * 4 + [2] * 996 + [0] * 3 + [1] * 2 + [2] * 495 + [0, 0, 1, 1] + [2] * 496


@pytest.mark.slow
def test_the_table_has_a_row_for_every_reader(tmp_path):
    command = [sys.executable, "-m", "benchmarks.data", f"--records={tmp_path}", "--rounds=1", "--kinds=omniglot-like"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(f"\n| {reader} | " in done.stdout for reader in READERS)


TINY_CASE = CONV4._replace(features=48, pixels=16, shots=1, queries=1, steps=1)


@pytest.mark.parametrize(
    "form", [PLAIN, Form(), FURTHER[STACKED], FURTHER[COARSE]], ids=["plain", "fast", "stacked", "bfloat16"]
)
def test_a_case_in_every_mode(form):
    scores = []
    for mode in TINY_CASE.modes:
        run = work(TINY_CASE, mode, form, CPU)
        run()
        assert run.learner.first_order == (mode != "second order") and run.learner.training == (mode != "evaluation")
        scores.append(run.learner(run.episodes[0]))
    assert all(torch.allclose(score, scores[0], atol=1e-2) for score in scores)


def test_cases_of_variable_way_have_the_images_of_their_names():
    for name, case in CASES.items():
        if found := re.search(r"(\d+)-way, (\d+) support and (\d+) query", name):
            episode = case.episode()
            assert (episode.way, len(episode.support_y), len(episode.query_y)) == tuple(map(int, found.groups()))
            assert len(set(episode.support_y.bincount().tolist())) == episode.way


def test_arithmetic_is_counted():
    x, weight = torch.randn(2, 3, 8, 8), torch.randn(5, 3, 3, 3)
    flop = 2 * 2 * 5 * 64 * 27
    assert gigaflop(lambda: F.conv2d(x, weight, padding=1)) == pytest.approx(flop / 1e9)
    learned = weight.requires_grad_()
    assert gigaflop(lambda: F.conv2d(x, learned, padding=1).sum().backward()) == pytest.approx(2 * flop / 1e9)


def test_chapters_are_written_one_by_one(tmp_path):
    page = tmp_path / "README.md"
    for text in ("# One\n\nold\n", "# Two\n\n## Part\n", "# One\n\nnew\n"):
        write_chapter(page, text)
    assert page.read_text() == "# One\n\nnew\n\n# Two\n\n## Part\n"


@pytest.mark.slow
def test_the_table_of_learning(tmp_path):
    out = tmp_path / "README.md"
    command = [sys.executable, "-m", "benchmarks.train", "--rounds=1", "--cases=5-way 1-shot, 5 steps", f"--out={out}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for mode in ("second order", "first order", "evaluation"):
        assert f"| {mode} | plain | 1.00 | " in out.read_text()


@pytest.mark.slow
def test_the_memory_of_an_update():
    name, case = next((name, case) for name, case in CASES.items() if TOGETHER in case.memory)
    found = {form: measure_in_subprocess(name, form, CPU)["megabytes"] for form in (TOGETHER, KEPT, LOW)}
    assert 2 * found[KEPT] < found[TOGETHER] and 5 * found[LOW] < found[TOGETHER]


@pytest.mark.slow
def test_the_table_of_inner_loops_has_a_row_for_every_rule():
    command = [sys.executable, "-m", "benchmarks.inner_loop", "--rounds=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(f"\n| {name} | " in done.stdout for name in (*inner_loop.RULES, "ANIL, features once", "MAML"))


@pytest.mark.slow
def test_a_build_has_the_overhead_of_itself():
    command = [sys.executable, "-m", "benchmarks.overhead", f"--baseline={ROOT}", "--rounds=3", "--cases=sine"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| sine")]
    assert [row[1] for row in rows] == ["second order", "first order"]
    assert all(0.7 < float(row[4]) < 1.4 and float(row[6].rstrip(" |")) > 1 for row in rows)


def checkout(folder: Path, *without: str) -> Path:
    """A copy of this checkout's package and benchmarks, without some of its files."""
    for name in ("alfa_md", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", *without))
    return folder


def test_a_build_runs_the_cases_whose_parts_it_has(tmp_path):
    run = work(TINY_CASE, "second order", Form(), CPU)
    loss = run.learner.objective.loss(run.learner(run.episodes[0]), run.episodes[0].query_y)
    with Build(checkout(tmp_path / "older", "resnet12.py")) as build:
        assert build.name == "older"
        build.prepare("tiny", train.plan(TINY_CASE, "second order"))
        seconds, numbers = build.turn("tiny")
        assert 0 < seconds < 1 and numbers["gradient"] > 0 and numbers["loss"] == pytest.approx(loss.item(), rel=1e-6)
        with pytest.raises(UserError, match=r"older: this checkout cannot run 'deep': No module named .*resnet12"):
            build.prepare("deep", train.plan(RESNET12, "evaluation"))


@pytest.mark.parametrize(
    ("benchmark", "flags", "line"),
    [
        (train, ["--against=no"], "no: no such folder; give a checkout of this project, e.g. of git worktree add"),
        (train, ["--against=."], ".: not a checkout of this project, alfa_md/__init__.py is missing"),
        (train, [f"--against={ROOT}", "--rounds=0"], "--rounds=0: give at least 1"),
        (train, ["--cases=conv"], "--cases=conv: no case has this in its name; there are 4-CONV, 84 px, "),
        pytest.param(train, ["--device=cuda"], "--device=cuda: torch sees no CUDA GPU here", marks=needs_no_gpu),
        (data, ["--records=.", "--against=no"], "no: no such folder; give a checkout of this project, e.g. of git"),
        (data, ["--records=.", "--kinds=x"], "--kinds: no kind of records is named 'x'; there are ilsvrc-like, "),
        (data, ["--records=.", f"--against={ROOT}", "--readers=x"], "--readers=x: no case has this in its name; "),
    ],
)
def test_bad_input_of_a_benchmark(benchmark, flags, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark", *flags])
    with pytest.raises(SystemExit) as end, one_line_errors():
        benchmark.main()
    written = capsys.readouterr()
    assert end.value.code == 2 and not written.out and not [*tmp_path.iterdir()]
    assert written.err.startswith(f"error: {line}") and written.err.count("\n") == 1


@pytest.mark.slow
def test_a_build_takes_the_time_of_itself(tmp_path):
    words = [f"--against={checkout(tmp_path / 'copy')}", "--cases=8-way", "--rounds=2", f"--out={tmp_path / 'page.md'}"]
    done = subprocess.run([sys.executable, "-m", "benchmarks.train", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "page.md").read_text() == done.stdout
    *_, row = (line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| four layers"))
    assert row[0].endswith("3 steps, prototypes: first order") and row[5] == "0e+00"
    assert 0.5 < float(row[3]) < 2


@pytest.mark.slow
def test_readers_of_two_builds(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(KINDS, "tiny", TINY)
    words = [f"--records={tmp_path}", f"--against={ROOT}", "--kinds=tiny", "--readers=warm", "--rounds=1"]
    monkeypatch.setattr(sys, "argv", ["data", *words])
    data.main()
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| tiny")]
    assert [row[0] for row in rows] == ["tiny: warm cache, uint8", "tiny: warm cache, float32"]
    assert all(row[5] == "0e+00" and float(row[3]) > 0 for row in rows)
