"""Text files of users: UTF-8 with or without a byte order mark; anything else is one line."""

import pytest

from alfa_md.errors import UserError
from alfa_md.system.text_files import read_json, read_lines, read_name_lists, read_rows, read_text


def test_utf_8_with_and_without_a_mark(tmp_path):
    file = tmp_path / "list.txt"
    for encoding in ("utf-8", "utf-8-sig"):
        file.write_text(" Café\n\n b \n", encoding=encoding)
        assert read_lines(file) == ["Café", "b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe{\0}\0", "cannot be read as UTF-8 text; unpack it again"),
        (b"[" * 100_000, "is nested too deeply; unpack it again"),
        (b'{"a": [' * 100_000, "is nested too deeply; unpack it again"),
        (b"{broken", "is not valid JSON"),
        (b"[" + b"9" * 5000 + b"]", "is not valid JSON"),  # Python refuses integers of more than 4300 digits
    ],
)
def test_invalid_json_is_one_line(tmp_path, content, words):
    file = tmp_path / "train.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        read_json(file, "unpack it again")
    assert str(error.value).startswith(f"{file}: ") and "\n" not in str(error.value)


def test_missing_files_and_columns_are_named(tmp_path):
    file = tmp_path / "train.csv"
    with pytest.raises(UserError, match="cannot be read"):
        read_text(file)
    file.write_text("filename,label\na.jpg,\n")
    with pytest.raises(UserError, match=r"train\.csv: line 2 must have filename and label"):
        read_rows(file, ("filename", "label"))


def test_lines_are_counted_as_an_editor_does_and_empty_values_at_the_end_are_none(tmp_path):
    file = tmp_path / "train.csv"
    file.write_text("filename,label\n\n\na.jpg,\n")
    with pytest.raises(UserError, match="line 4 must have"):
        read_rows(file, ("filename", "label"))
    file.write_text("filename,label\na.jpg,7,,\n")
    assert read_rows(file, ("filename", "label")) == [{"filename": "a.jpg", "label": "7"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"train": "abc"}', "must be an object of lists of class names"),
        ('{"train": {"a": 1}}', "must be an object of lists of class names"),
        ('{"train": [1]}', "must be an object of lists of class names"),
        ('{"train": ["a"], "train": ["b"]}', "has 'train' twice; make one list of both"),
    ],
)
def test_other_json_than_lists_of_names_is_refused(tmp_path, content, words):
    file = tmp_path / "splits.json"
    file.write_text(content)
    with pytest.raises(UserError, match=words):
        read_name_lists(file)
