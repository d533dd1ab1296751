"""`python -m alfa_md.predict`: from a run, or from gin files and weights, to the two files."""

import csv
import re
import subprocess
import sys

import pytest

import alfa_md
from tests.entries.harness import bindings, contents, run_entry
from tests.pictures import write_query, write_support
from tests.shared import ROOT

OUT = ("--support=support", "--query=query", "--out=out.csv")


@pytest.fixture
def folder(tmp_path):
    write_support(tmp_path / "support", 4)
    write_query(tmp_path / "query")
    return tmp_path


def rows(file) -> list[list[str]]:
    return list(csv.reader(file.open(newline="")))


def test_a_run_predicts_the_same_every_time_and_in_a_notebook(folder, trained):
    outcome = run_entry("predict", f"--run_dir={trained}", *OUT, "--calibrate", cwd=folder)
    assert (outcome.code, outcome.err) == (0, ""), outcome
    title, calibrated, table, page = outcome.out.splitlines()
    assert title == "proto_maml_alfa+quickstart, update 2: adapted to 12 labelled pictures, 4 of each of 3 classes"
    assert re.fullmatch(r"expected accuracy .* % .*\(\d+ of 12 labelled pictures, .*\); temperature .*", calibrated)
    assert (table, page) == ("out.csv: 6 pictures", "out.html: all of them")
    first = contents(folder)
    assert run_entry("predict", f"--run_dir={trained}", *OUT, "--calibrate", cwd=folder).code == 0
    assert contents(folder) == first
    found = alfa_md.open_run(trained).predict(folder / "support", folder / "query", calibrate=True)
    table = [[p.file, p.label, *(f"{value:.6f}" for value in p.probabilities)] for p in found]
    assert rows(folder / "out.csv")[1:] == table


def test_a_checkpoint_with_gin_files_and_a_pretrained_backbone(folder, trained):
    assert run_entry("predict", f"--run_dir={trained}", *OUT, cwd=folder).code == 0
    expected = rows(folder / "out.csv")
    best = trained / "checkpoints" / "best.pt"
    assert run_entry("predict", *bindings(), f"--checkpoint={best}", *OUT, cwd=folder).code == 0
    assert rows(folder / "out.csv") == expected
    outcome = run_entry("predict", *bindings(f"PRETRAINED = '{trained}'"), *OUT, cwd=folder)
    assert outcome.code == 0 and outcome.out.startswith("gin/proto_maml_alfa.gin + gin/quickstart.gin: adapted to 12")
    assert rows(folder / "out.csv") != expected  # the backbone alone: ALFA's generator is untrained


def test_unreadable_pictures_can_be_left_out(folder, trained):
    (folder / "query" / "damaged.jpg").write_bytes(b"damaged")
    flags = (f"--run_dir={trained}", *OUT)
    assert "damaged.jpg: is not a readable image" in run_entry("predict", *flags, cwd=folder).error
    assert not (folder / "out.csv").exists() and not (folder / "out.html").exists()
    outcome = run_entry("predict", *flags, "--skip_unreadable", cwd=folder)
    assert outcome.code == 0 and "left out, unreadable: 1 (query/damaged.jpg: is not" in outcome.out


PEAK = """
import resource, sys
from pathlib import Path
import alfa_md
from alfa_md.reporting.predictions import write_predictions
run = alfa_md.open_run(sys.argv[1], "last", gin_bindings=["IMAGE_SIZE = 84"])
found = run.predict("support", sys.argv[2])
write_predictions(found, Path("out.csv"), "a run")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)  # MB
"""


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_number_of_pictures(folder):
    """800 more inputs of 84 x 84 pixels would take 68 MB."""
    write_query(folder / "few", 6)
    source = next((folder / "few").iterdir())
    peaks = []
    for number in (200, 1000):
        place = folder / str(number)
        place.mkdir()
        for index in range(number):
            (place / f"{index}.png").symlink_to(source)
        command = [sys.executable, "-c", PEAK, ROOT / "tests" / "stored_runs" / "images", place.name]
        outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
        assert outcome.returncode == 0, outcome.stderr
        peaks.append(float(outcome.stdout.splitlines()[-1]))
        assert len(rows(folder / "out.csv")) == number + 1
    assert peaks[1] - peaks[0] < 15, peaks
