"""Fuzzing of results files and of what else a report reads: whole tables, or a refusal in one line."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alfa_md.evaluation.comparison import comparison_table, load_results, paired_rows
from alfa_md.evaluation.results import Results
from alfa_md.evaluation.tables import results_csv, results_markdown, source_means
from alfa_md.metrics import ACCURACY
from alfa_md.reporting.figures import QUANTITIES, run_curve
from alfa_md.reporting.page import render_page
from alfa_md.reporting.summary import read_runs
from alfa_md.system.progress import CONSOLE
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed
from tests.fuzz.json_parts import restructured
from tests.noise import CPU, NoiseSource, noise_learner
from tests.runs import SAMPLING, configuration, write_metrics, write_results, write_run

FACTS = {"name": "a", "seed": 0, "data_root": "/records", "data_kind": "records", "torch": "2", "pretrained": None}


@pytest.fixture(scope="module")
def text() -> str:
    return configuration("gin/proto_maml_alfa.gin")


@pytest.fixture
def folder(tmp_path, text) -> Path:
    path = write_run(tmp_path / "run", text, **FACTS)
    write_metrics(path, 500)
    return path


@pytest.fixture
def valid(folder) -> dict:
    """Results of two sources, one with an episode that diverged."""
    content = write_results(folder, "test", {"omniglot": 0.5, "noise": 0.25})
    record = content["sources"]["noise"]
    scores = [None, *record["scores"][1:]]
    mean, ci95, *_ = ACCURACY.mean(scores)
    record |= {"scores": scores, "mean": mean, "ci95": ci95, "diverged": [0], "query_std": 0.25}
    record["data"] = NoiseSource().stamp()
    return content


def dumps(content: object) -> bytes:
    return json.dumps(content).encode("utf-8", "surrogatepass")


def compared(path: Path, other: dict) -> None:
    rows = paired_rows(load_results(str(path), "test"), other)
    CONSOLE.print(comparison_table("a", "b", rows))
    assert all(row.verdict in ("win", "tie", "loss", "none") for row in rows)


def reported(folder: Path) -> None:
    runs = read_runs([str(folder)])
    render_page(runs * 2).encode()
    for quantity in QUANTITIES:
        run_curve(runs[0], quantity)


def evaluated(path: Path) -> None:
    """Goes on from the file, under a stamp that it may or may not have, and writes all tables."""
    results = Results(path, {"split": "test", "seed": 0, "sampling": SAMPLING, "unit": "accuracy"})
    results.measure(noise_learner(), NoiseSource(), 1, CPU)
    columns = {"a": source_means(results.sources)}
    results_csv({"a": results.sources}, "records", ACCURACY).encode()
    results_markdown(columns, ACCURACY, "").encode()


@pytest.fixture
def check(folder, valid) -> Callable[[bytes], None]:
    """Lets every reader read a results file of these bytes."""
    file, other = folder / "results" / "test.json", copy.deepcopy(valid)

    def check(data: bytes) -> None:
        for reader, *arguments in ((compared, file, other), (reported, folder), (evaluated, file)):
            for left in file.parent.iterdir():
                left.unlink()
            file.write_bytes(data)
            parsed(reader, *arguments)
            kept = [path.read_bytes() for path in file.parent.glob("*.json")]
            assert data in kept or reader is evaluated and len(kept) == 1

    return check


@examples(slow=1000)
def test_results_with_wrong_parts(check, valid, number):
    fuzz(lambda content: check(dumps(content)), restructured(valid), number)


@examples(slow=1000)
def test_damaged_results(check, valid, number):
    fuzz(check, mutated([dumps(valid)]), number // 10)


@examples(slow=500)
def test_metrics_with_wrong_parts(folder, number):
    file = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]

    def check(content: object) -> None:
        lines = content if isinstance(content, list) else [content]
        file.write_bytes(b"".join(dumps(line) + b"\n" for line in lines))
        parsed(reported, folder)

    fuzz(check, restructured(lines), number)


@examples(slow=1000)
def test_facts_with_wrong_parts(folder, number):
    def check(content: object) -> None:
        (folder / "run.json").write_bytes(dumps(content))
        parsed(reported, folder)

    fuzz(check, restructured(json.loads((folder / "run.json").read_text())), number)


def test_what_was_not_changed_is_read(folder, valid):
    (folder / "results" / "test.json").write_bytes(dumps(valid))
    assert load_results(str(folder), "test") == valid
    reported(folder)
    compared(folder, valid)


@pytest.mark.parametrize("data", [b"[" * 100_000, b"\xff\xfe", b"", b'{"protocol": ' * 50_000, b"1" * 5000])
def test_other_bytes_are_one_line(check, data):
    check(data)
