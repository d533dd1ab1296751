"""`python -m alfa_md.report` on real run directories, and bad input."""

import re

import pytest

from tests.entries.harness import contents, copied, needs_tensorflow, run_entry

pytestmark = needs_tensorflow


def test_a_page_about_two_real_runs(trained, evaluated, tmp_path):
    run, other = copied(evaluated, tmp_path / "run"), copied(trained, tmp_path / "other")
    before = contents(tmp_path)
    outcome = run_entry("report", run, other, "--out=page.html", cwd=tmp_path)
    assert (outcome.code, outcome.out, outcome.err) == (0, "Report: page.html\n", "")
    after = contents(tmp_path)
    text = after.pop("page.html").decode().replace("<wbr>", "")
    assert after == before  # a report only reads
    assert "2 of 2" in text and text.count("<svg") >= 3 and re.search(r"omniglot</th><td>\d+\.\d\d±", text)
    assert "is not the published setting" in text and "IMAGE_SIZE: 16 (published: 126)" in text
    assert "Nothing: configuration, seed, data and versions are the same." in text


def test_the_default_page_is_report_html(trained, tmp_path):
    assert run_entry("report", trained, cwd=tmp_path).code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "report needs one run directory or more: python -m alfa_md.report RUN..."),
        (["run", "nowhere"], "nowhere is not a run directory"),
        (["run/config.gin"], "is not a run directory"),
        (["run", "--out=nowhere/page.html"], "nowhere/page.html"),
        (["run", "--out=run"], "run"),
    ],
)
def test_bad_input(refused, flags, message):
    assert message in refused("report", *flags)


def test_damaged_metrics(refused, tmp_path):
    file = tmp_path / "run" / "metrics.jsonl"
    file.write_text(file.read_text() + "damage\n" + file.read_text())
    assert re.search(r"metrics.jsonl, line \d+ is damaged", refused("report", "run"))
