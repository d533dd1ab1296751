"""The files of predictions: names of any kind, the bounds of the page, and that both files are whole or absent."""

import base64
import csv
import io
import os
import re
from html.parser import HTMLParser

import pytest
import torch
from PIL import Image

from alfa_md.data.images.transform import Transform
from alfa_md.data.labelled_pictures import labelled_pictures, unlabelled_pictures
from alfa_md.data.open_image import UnreadableImage
from alfa_md.data.picture_inputs import ImageInput
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels
from alfa_md.normalization import batch_statistics
from alfa_md.prediction.calibration import Calibration
from alfa_md.prediction.predictions import Predictions
from alfa_md.prediction.support_set import read_support
from alfa_md.reporting import predictions as module
from alfa_md.reporting import predictions_page
from alfa_md.reporting.predictions import describe_calibration, summary, write_predictions
from tests.pictures import COLOURS, write_picture, write_query, write_support

READ = ImageInput(Transform(size=8))


def predictions_of(folder, **options) -> Predictions:
    support = read_support(labelled_pictures(folder / "support"), READ, torch.device("cpu"))
    learner = NearestNeighborLearner(Pixels())
    return Predictions(learner, support, *unlabelled_pictures(folder / "query"), READ, **options)


@pytest.fixture
def folder(tmp_path):
    write_support(tmp_path / "support")
    write_query(tmp_path / "query")
    return tmp_path


class Text(HTMLParser):
    """The text, the tags and the sources of images of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.text, self.tags, self.images = "", [], []
        self.feed(page)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.images += [value for name, value in attrs if tag == "img" and name == "src"]


def test_the_csv_has_a_row_a_picture_and_the_page_its_thumbnail(folder, capsys):
    write_predictions(predictions_of(folder), folder / "out.csv", "a run")
    rows = list(csv.DictReader((folder / "out.csv").open(newline="")))
    assert list(rows[0]) == ["file", "class", "p(blue)", "p(green)", "p(red)"]
    assert [row["file"] for row in rows] == sorted(os.listdir(folder / "query"))
    assert all(row["class"] in row["file"] and len(row["p(red)"]) == 8 for row in rows)
    page = Text((folder / "out.html").read_text())
    assert len(page.images) == 6 and "00000-red.png" in page.text and "red 57.6\u00a0%" in page.text
    with Image.open(io.BytesIO(base64.b64decode(page.images[0].partition("base64,")[2]))) as image:
        assert image.size == (20, 20) and image.format == "JPEG"
    assert "out.csv: 6 pictures\n" in capsys.readouterr().out


NAMES = ("=1+2", "<b>bold", 'a"b', "@x", "a,b", "a\nb\x1b[2J", "\u00e9")


def test_names_of_any_kind_are_text(tmp_path):
    """In neither file is a name a formula, markup, or a line of its own."""
    for number, name in enumerate(NAMES):
        write_picture(tmp_path / "support" / name / "0.png", COLOURS["red"], number)
        write_picture(tmp_path / "query" / f"{name}.png", COLOURS["red"], number + 50)
    (tmp_path / "query" / os.fsdecode(b"\xff.png")).write_bytes((tmp_path / "query" / "=1+2.png").read_bytes())
    write_predictions(predictions_of(tmp_path), tmp_path / "out.csv", "<i>title")
    text = (tmp_path / "out.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) == len(NAMES) + 2
    assert not re.search(r"(^|[,\"])\s*[=@]", text, re.MULTILINE) and "\x1b" not in text
    assert {"'=1+2.png", "'@x.png", "a,b.png", "a\\nb\\x1b[2J.png", "\\udcff.png"} <= {row[0] for row in rows}
    page = (tmp_path / "out.html").read_bytes().decode()
    assert "<b>bold" not in page and "<i>title" not in page and "\x1b" not in page
    assert "&lt;b&gt;bold" in page and "i" not in Text(page).tags
    assert "a\\nb\\x1b[2J" in Text(page).text


def test_the_page_is_bounded_and_says_so(folder, monkeypatch, capsys):
    monkeypatch.setattr(module, "MAX_PICTURES", 4)
    write_predictions(predictions_of(folder), folder / "out.csv", "a run")
    page = Text((folder / "out.html").read_text())
    assert len(page.images) == 4 and "The first 4 of 6 pictures; out.csv has all." in page.text
    assert "out.html: the first 4 of them" in capsys.readouterr().out
    assert len((folder / "out.csv").read_text().splitlines()) == 7


def test_a_thumbnail_is_small():
    noise = Image.effect_noise((3000, 1000), 90)
    data = predictions_page.thumbnail(noise)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.size == (128, 43)
    assert len(data) < 10_000


def test_after_an_error_both_files_are_as_before(folder):
    (folder / "out.csv").write_text("kept")
    (folder / "query" / "00005-blue.png").write_bytes(b"damaged")
    with pytest.raises(UnreadableImage, match="00005-blue.png"):
        write_predictions(predictions_of(folder), folder / "out.csv", "a run")
    assert (folder / "out.csv").read_text() == "kept"
    assert sorted(path.name for path in folder.iterdir()) == ["out.csv", "query", "support"]


def test_the_summary_names_copies_unreadable_pictures_and_transductive_learners(folder):
    (folder / "query" / "copy.png").write_bytes((folder / "support" / "red" / "0.png").read_bytes())
    (folder / "query" / "damaged.png").write_bytes(b"damaged")
    write_picture(folder / "support" / "red" / "more.png", COLOURS["red"], 77)
    found = predictions_of(folder, skip_unreadable=True)
    list(found)
    lines = summary(found)
    assert lines[0] == "adapted to 10 labelled pictures, 3 to 4 of each of 3 classes"
    assert lines[1] == "copies of labelled pictures among those predicted: 1 (copy.png)"
    assert lines[2].startswith("left out, unreadable: 1 (") and "damaged.png: is not a readable image" in lines[2]
    found.learner.normalization = batch_statistics()
    assert "the learner normalises a query set by its own moments" in summary(found)[1]


def test_the_line_about_calibration():
    assert describe_calibration(Calibration(2.5, 21, 25), 26) == (
        "expected accuracy 84.00 %, 95 % interval 65.35 to 93.60 (21 of 25 labelled pictures, each left out once; "
        "1 without another of their class); temperature 2.5"
    )
    assert describe_calibration(Calibration(float("inf"), 1, 5), 5).endswith("say nothing: probabilities are equal")
