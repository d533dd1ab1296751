"""Labelled pictures of folders and CSV files, and the pictures to predict."""

import pytest

from alfa_md.data.labelled_pictures import labelled_pictures, unlabelled_pictures
from alfa_md.errors import UserError
from tests.pictures import COLOURS, write_picture, write_query, write_support


def test_classes_and_pictures_of_a_folder_are_sorted_and_shots_may_differ(tmp_path):
    folder = write_support(tmp_path / "support")
    write_picture(folder / "blue" / "more" / "10.png", COLOURS["blue"], 5)
    (folder / ".hidden").mkdir()
    (folder / "notes.txt").write_text("none")
    found = labelled_pictures(folder)
    assert found.classes == ("blue", "green", "red") and found.shots == (4, 3, 3)
    assert [file.name for file in found.files[:4]] == ["0.png", "1.jpg", "2.bmp", "10.png"]
    assert found.labels == (0, 0, 0, 0, 1, 1, 1, 2, 2, 2)


def test_a_csv_file_gives_what_the_folder_gives(tmp_path):
    folder = write_support(tmp_path / "support")
    expected = labelled_pictures(folder)
    lines = [f"{file.relative_to(tmp_path)},{file.parent.name}" for file in reversed(expected.files)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,class", *lines]))
    assert labelled_pictures(tmp_path / "labels.csv") == expected


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["picture,class", "a.png,a"], "labels.csv: the first line must be the header file,class"),
        (["file,class", "a.png,a", "b.png,b", "a.png,b"], "labels.csv: lists 'a.png' twice; remove one of the lines"),
        (["file,class", "a.png,a", "c.png,b"], "labels.csv: lists 'c.png', but there is no file .*c.png; correct"),
        (["file,class", "a.png,a", "../b.png,b"], "labels.csv: lists '../b.png', which leads out of"),
        (["file,class", "a.png,a", "b.png,a"], "labels.csv: has 1 classes, and a choice needs two or more"),
        (["file,class", "a.png,a", "b.png"], "labels.csv: line 3 must have file and class"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_named(tmp_path, lines, message):
    for name in "ab":
        write_picture(tmp_path / "in" / f"{name}.png", (1, 2, 3), 0)
    (tmp_path / "in" / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(UserError, match=message):
        labelled_pictures(tmp_path / "in" / "labels.csv")


def test_pictures_to_predict_are_found_at_any_depth_and_sorted(tmp_path):
    write_query(tmp_path / "query" / "b", 2)
    write_query(tmp_path / "query", 1)
    (tmp_path / "query" / "notes.txt").write_text("none")
    expected = ("00000-red.png", "b/00000-red.png", "b/00001-green.png")
    assert unlabelled_pictures(tmp_path / "query") == (tmp_path / "query", expected)
    assert unlabelled_pictures(tmp_path / "query" / "00000-red.png") == (tmp_path / "query", ("00000-red.png",))
    (tmp_path / "empty").mkdir()
    for name, message in {"empty": "holds no picture", "nowhere": "no such folder or picture"}.items():
        with pytest.raises(UserError, match=f"{name}: {message}"):
            unlabelled_pictures(tmp_path / name)
