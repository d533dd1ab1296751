"""Paths of a run keep their last part alone."""

import pytest

from alfa_md.reporting.portable import portable_bindings, portable_command, portable_content, portable_path

LONG = "/home/somebody/" + "a folder " * 20 + "/weights.pt"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a/b c/d", "d"), ("a/b", "b"), ("~/runs/x/", "x"), ("C:\\data\\x", "x"), ("/", "."), ("..", ".."), ("x", "x")],
)
def test_the_last_part_of_a_path(path, name):
    assert portable_path(path) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PRETRAINED = '/home/somebody/runs/seed0'", "PRETRAINED = 'seed0'"),
        ('PRETRAINED = "/home/o\'brien/x"', "PRETRAINED = 'x'"),
        ("A.files = ('/a/b.gin', '~/c.gin')\n", "A.files = ('b.gin', 'c.gin')\n"),
        ("PRETRAINED = ('gin/pretrain.gin',)", "PRETRAINED = ('gin/pretrain.gin',)"),
        ("S.without = ('*/backbone.bias', 'gradients/head.*')", "S.without = ('*/backbone.bias', 'gradients/head.*')"),
        ("include '/home/somebody/x.gin'\nA.b = @c/D()", "include 'x.gin'\nA.b = @c/D()"),
        ("# somebody's\nA.b = 'it\\'s'\n", "# somebody's\nA.b = 'it\\'s'\n"),
        (f"A.b = \\\n    ({LONG[:60]!r}\n     {LONG[60:]!r})", "A.b = \\\n    ('weights.pt')"),
    ],
)
def test_strings_in_gin(text, expected):
    assert portable_bindings(text) == expected


def test_a_command():
    command = (
        "/home/me/clone/alfa_md/train.py --gin_config=gin/x.gin '--gin_bindings=dumped.folder = \"/home/me/a b\"' "
        "'--records_root_dir=/data of me/RECORDS' --run_dir=runs/me/x --seed=0 --cache_dir=~/cache"
    )
    assert portable_command(command) == (
        "python -m alfa_md.train --gin_config=gin/x.gin '--gin_bindings=dumped.folder = '\"'\"'a b'\"'\"'' "
        "--records_root_dir=RECORDS --run_dir=x --seed=0 --cache_dir=cache"
    )
    assert portable_command("/opt/me/bin/alfa-md train /a/b") == "alfa-md train b"
    assert portable_command("an open 'quote") == portable_command("") == ""


def test_json():
    content = {"pretrained": "/a, b/best.pt, update 5, hash 0a1b", "spec": ["1/2", "/a/b"], "number": 1, "none": None}
    assert portable_content(content) == {
        "pretrained": "best.pt, update 5, hash 0a1b",
        "spec": ["1/2", "b"],
        "number": 1,
        "none": None,
    }
