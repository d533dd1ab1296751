"""The report page: self-contained, with the right numbers, warnings and differences."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from alfa_md.experiment.definition import META_DATASET
from alfa_md.reporting.elements import PAGES, Table, with_line_breaks
from alfa_md.reporting.page import render_page
from alfa_md.reporting.results import MINIATURE, result_columns, same_episodes
from alfa_md.reporting.summary import read_runs
from tests.runs import configuration, write_metrics, write_results, write_run

TEXT = configuration("gin/proto_maml_alfa.gin")
SMALL = configuration("gin/proto_maml_alfa.gin", "gin/quickstart.gin")
HIGH, LOW = [0.6 + 0.01 * number for number in range(10)], [0.5] * 10
VOID = {"meta", "wbr"}


class Balance(HTMLParser):
    """Asserts that every opened element is closed, in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def make(tmp_path):
    """Writes a run of 75 000 updates with results."""

    def write(name, text=TEXT, means=HIGH, updates=75_000, **facts):
        path = write_run(tmp_path / name, text, **{"pretrained": "/p/best.pt, update 1, hash a"} | facts)
        write_metrics(path, updates, every=updates // 10, data_wait=0.25, peak_memory=3 * 2**30)
        if means:
            write_results(path, "test", means, 600, data_kind=facts.get("data_kind", "records"))
        return path

    return write


def rendered(*paths) -> str:
    text = render_page(read_runs([str(path) for path in paths]))
    Balance(text)
    return text


def words(text: str) -> str:
    """The visible text."""
    text = re.sub(r"<style.*?</style>|<wbr>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def section(text: str, heading: str) -> str:
    return text.split(f"<h2>{heading}</h2>")[1].split("</section>")[0]


def test_the_page_needs_nothing_else(make):
    text = rendered(make("a"), make("b", SMALL, LOW))
    assert not re.search(r"(?i)https?:|<script|<link|<img|@import|url\((?!#)|src=", text)
    assert 'name="viewport"' in text and "prefers-color-scheme: dark" in text and "<meta charset" in text


def test_a_card_says_what_the_run_is_and_how_far_it_has_come(make):
    seen = words(section(rendered(make("a", machine="a big one")), "Runs"))
    for part in (
        "proto_maml_alfa, seed 0",
        "GradientLearner, PrototypeHead, rule alfa, 6 inner steps, ResNet18, 126 px",
        "Pretrained /p/best.pt, update 1, hash a",
        "Updates 75000 of 75000 Best",
        "Best validation 78.12±2.00 % at update 75000",
        "Time 10 h 25 min (5 h 12 min of CPU)",
        "Waiting for data 25 % of the time",
        "Peak memory 3.00 GiB",
        "Machine a big one",
        "Data records at /records",
    ):
        assert part in seen, part
    assert MINIATURE not in seen


def test_a_run_that_has_just_begun_gives_a_page_too(tmp_path):
    seen = words(rendered(write_run(tmp_path / "new", TEXT)))
    assert "Updates 0 of 75000 (nothing recorded yet)" in seen and "Best validation none yet" in seen
    assert "Nothing recorded yet." in seen and seen.count("No test results yet") == 2


def test_an_unfinished_run_says_so(make):
    seen = words(section(rendered(make("a", SMALL, updates=300)), "Runs"))
    assert "Updates 300 of 400 (still training, or stopped: the same command goes on)" in seen


def test_all_curves_are_there_with_a_legend(make):
    part = section(rendered(make("a"), make("b")), "Curves")
    titles = re.findall("<figcaption>(.+?)</figcaption>", part)
    assert len(titles) == 5 == part.count("<svg") and titles[0] == "Training loss"
    assert part.count('class="swatch"') == 2 and "var(--run0)" in part and "var(--run1)" in part


def test_the_ten_source_table_has_intervals_means_and_the_best_in_bold(make):
    part = section(rendered(make("a"), make("b", means=LOW)), "Test results")
    for number, name in enumerate(META_DATASET):
        row = re.search(rf'<tr><th scope="row">{name}</th>(.*?)</tr>', part.replace("<wbr>", ""))[1]
        assert row == f"<td><b>{60 + number}.00±0.40</b></td><td>50.00±0.40</td>"
    assert re.search(r"mean</th><td>64.50</td><td>50.00</td>", part)
    assert re.search(r"average rank</th><td>1.00</td><td>2.00</td>", part)
    assert "600 test episodes" in words(part)


def test_errors_have_a_table_in_their_own_unit_and_the_lowest_is_bold(make):
    paths = make("a"), make("b"), make("c")
    for path, error in zip(paths, (0.3, 0.2, None), strict=True):
        if error:
            write_results(path, "test", {"sine": error}, 600, unit="squared error", data_kind="generated")
    part = section(rendered(*paths), "Test results")
    assert "<td>0.300±0.004</td><td><b>0.200±0.004</b></td>" in part and "60.00±0.40" in part
    assert "Squared error, mean ± 95 % interval over 600 test episodes" in words(part) and part.count("<table>") == 2


def test_the_best_validation_of_a_regression_run(tmp_path):
    folder = write_run(tmp_path / "sine", TEXT, data_kind="generated", data_root="generated")
    line = '{"step": 5, "group": "validation", "squared error": 0.3, "ci95": 0.1}\n'
    (folder / "metrics.jsonl").write_text(line)
    seen = words(section(rendered(folder), "Runs"))
    assert "Best validation 0.300±0.100 squared error at update 5" in seen and "Data generated Command" in seen


def test_a_single_column_has_no_bold_and_missing_sources_are_counted(make):
    assert "<b>" not in section(rendered(make("a")), "Test results")
    part = words(section(rendered(make("b"), make("c", means={"dtd": 0.5})), "Test results"))
    assert "mean 64.50 50.00 over 1 of 10" in part


def test_baselines_stand_after_the_runs_and_equal_ones_only_once(make):
    a, b = make("a"), make("b", means=LOW)
    for path in (a, b):
        write_results(path, "test-pixel", LOW, 600)
        write_results(path, "test-untrained", HIGH if path == a else LOW, 600)
    runs = read_runs([str(a), str(b)])
    assert [entry.title for entry in result_columns(runs)] == ["a", "b", "pixel", "a: untrained", "b: untrained"]
    assert [entry.title for entry in result_columns(runs[:1])] == ["a", "pixel", "untrained"]
    write_results(b, "test-feature", LOW, 600)
    assert result_columns(read_runs([str(a), str(b)]))[-1].title == "b: feature"


def test_results_on_other_episodes_get_a_table_of_their_own(make, tmp_path):
    a, b = make("a"), make("b")
    content = write_results(b, "test", LOW, 600, seed=1)
    part = section(rendered(a, b), "Test results")
    assert part.count("<table>") == 2 and "do not compare with one another" in part and "<b>" not in part
    first = write_results(a, "test", LOW, 600)
    assert same_episodes(first, first) and not same_episodes(first, content)
    content = write_results(b, "test", LOW, 600)
    content["sources"]["dtd"]["data"]["spec"] = "another"
    assert not same_episodes(first, content)


def test_a_run_is_compared_with_the_published_row_of_its_setting(make):
    seen = words(section(rendered(make("a")), "Beside the published numbers"))
    assert "fo-Proto-MAML + ALFA, ImageNet only" in seen
    assert "ilsvrc_2012 52.80±1.11 60.00±0.40 +7.20" in seen and "vgg_flower 85.96±0.77 67.00±0.40 −18.96" in seen
    assert "mean 61.41 64.50 +3.09" in seen
    assert "a has the settings of the published row." in seen


def test_what_keeps_a_run_from_its_published_row_is_loud(make):
    scratch = make("a", SMALL, updates=300, pretrained="no: from scratch")
    write_results(scratch, "test", HIGH, 100)
    part = section(rendered(scratch), "Beside the published numbers")
    assert '<p class="loud">a is not the published setting:</p>' in part
    seen = words(part)
    for difference in (
        "BACKBONE: @FourLayerConvNet() (published: @ResNet18())",
        "trained from scratch (published: from a backbone pretrained on ImageNet)",
        "300 of 400 updates are done",
        "100 test episodes a source (published: 600)",
    ):
        assert difference in seen, difference


def test_the_mean_is_set_against_the_same_sources(make):
    seen = words(section(rendered(make("a", means={"omniglot": 0.6})), "Beside the published numbers"))
    assert "mean 61.41 60.00 over 1 of 10 −1.87" in seen


@pytest.mark.parametrize("where", ["trained", "tested"])
def test_the_miniature_is_never_compared_with_published_numbers(make, where):
    path = make("a", data_kind="miniature" if where == "trained" else "records")
    write_results(path, "test", HIGH, 600, data_kind="miniature" if where == "tested" else "records")
    text = rendered(path)
    part = section(text, "Beside the published numbers")
    assert "<table" not in part and "52.80" not in text
    assert f'<p class="loud">a: {MINIATURE}</p>' in part
    assert (MINIATURE in section(text, "Runs")) == (where == "trained")
    assert (MINIATURE in section(text, "Test results")) == (where == "tested")


def test_a_run_without_published_row_says_so(make):
    path = make("a", configuration("gin/proto_maml_alfa_all.gin"))
    assert "No paper has a row" in section(rendered(path), "Beside the published numbers")


def test_what_differs_is_listed_by_binding_and_fact(make):
    other = configuration("gin/proto_maml_alfa.gin", bindings=["GradientLearner.num_steps = 3"])
    paths = make("a", torch="2.13.0"), make("b", torch="2.13.0", seed=1), make("c", other, torch="2.13.0")
    part = section(rendered(*paths), "What differs between the runs")
    rows = [words(row).strip() for row in re.findall("<tr>(.*?)</tr>", part)]
    assert rows == ["binding a b c", "GradientLearner.num_steps 6 6 3", "seed 0 1 0"]


def test_equal_runs_differ_in_nothing_and_one_run_is_not_compared(make):
    assert "Nothing: " in section(rendered(make("a"), make("b")), "What differs between the runs")
    assert "What differs" not in rendered(make("c"))


def test_names_and_commands_are_text_never_markup(make):
    text = rendered(make("<b>&a", command="train --x='<script>'", machine='"><img>'))
    assert "<script" not in text and "<img" not in text and "<b>&a" not in text
    assert "&lt;b&gt;&amp;a" in text and "&lt;script&gt;" in text


def test_diverged_episodes_are_counted_and_never_the_best(make):
    a, b = make("a", means=None), make("b", means=None)
    write_results(a, "test", {"sine": 0.3}, unit="squared error")
    content = write_results(b, "test", {"sine": 0.2}, unit="squared error")
    content["sources"]["sine"] |= {"scores": [None, 0.2, 0.2, 0.2], "mean": 0.2, "ci95": 0.0, "diverged": [0]}
    (b / "results" / "test.json").write_text(json.dumps(content))
    part = section(rendered(a, b), "Test results")
    assert "<td><b>0.300±0.049</b></td><td>0.200±0.000 (diverged 1 of 4)</td>" in part
    assert "with a prediction that is not finite, are left out of the mean." in words(part)


def test_results_of_the_official_reader_are_told_to_be_of_other_episodes(make):
    a, b = make("a"), make("b")
    for path in (a, b):
        content = write_results(path, "test", {"dtd": 0.5})
        content["sources"]["dtd"]["data"]["reader"] = "official"
        (path / "results" / "test.json").write_text(json.dumps(content))
    note = "Read by the official reader, which draws other episodes in every evaluation: NOT paired."
    assert note in words(section(rendered(a, b), "Test results"))
    assert note not in words(section(rendered(make("c"), make("d")), "Test results"))


def test_line_breaks_are_the_only_markup_of_a_name():
    assert with_line_breaks("<b>_a.1:c") == "&lt;b&gt;_a.<wbr>1:c"
    assert re.search(r"&lt;i&gt;_b</th>", PAGES.get_template("elements.html").module.table(Table(["<i>_b"], [])))
