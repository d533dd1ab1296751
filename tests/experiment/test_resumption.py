"""Resumption of a run: what makes it another one, and what is said when it goes on elsewhere."""

import pytest

from alfa_md.experiment.checkpoint import short_hash
from alfa_md.experiment.resumption import changed_bindings, changed_facts, resumed_facts, split_extension

FACTS = {"seed": 0, "data_root": "/records", "data_kind": "records", "pretrained": "/a/best.pt, update 5, hash abcd"}


@pytest.mark.parametrize("file", ["checkpoints/best.pt", "model.safetensors"])
def test_the_place_of_the_same_initial_weights_makes_no_difference(tmp_path, file):
    best = tmp_path / "moved" / file
    best.parent.mkdir(parents=True)
    best.write_bytes(b"weights")
    facts = FACTS | {"pretrained": f"/old/checkpoints/best.pt, update 5, hash {short_hash(b'weights')}"}
    for moved in (tmp_path / "moved", best):
        assert changed_bindings("PRETRAINED = '/old'\n", f"PRETRAINED = '{moved}'\n", facts) == []
    best.write_bytes(b"other weights")
    for other in (f"'{tmp_path / 'moved'}'", "'/absent'", "None", "'gin/pretrain_imagenet_resnet.gin'"):
        (change,) = changed_bindings("PRETRAINED = '/old'\n", f"PRETRAINED = {other}\n", facts)
        assert change == f"PRETRAINED: '/old' -> {other}"


@pytest.mark.parametrize(
    ("other", "changes"),
    [
        ("/b/c/best.pt, update 5, hash abcd", []),
        ("/a/best.pt, update 5, hash abce", ["pretrained: /a/best.pt, update 5, hash abcd -> "]),
        ("no: from scratch", ["pretrained: /a/best.pt, update 5, hash abcd -> no: from scratch"]),
    ],
)
def test_initial_weights_are_told_by_their_hash(other, changes):
    found = changed_facts(FACTS, FACTS | {"pretrained": other})
    assert len(found) == len(changes) and all(a.startswith(b) for a, b in zip(found, changes, strict=True))


def test_a_raised_number_of_updates_is_an_extension():
    assert split_extension(["train.num_updates: 12 -> 18", "A.b: 1 -> 2"]) == (12, ["A.b: 1 -> 2"])
    assert split_extension(["train.num_updates: 18 -> 12"]) == (None, ["train.num_updates: 18 -> 12"])
    assert split_extension(["train.num_updates: 9 -> unset"]) == (None, ["train.num_updates: 9 -> unset"])


def test_other_conditions_are_said(tmp_path, capsys):
    old = FACTS | {"threads": 1, "torch": "2.13.0", "data": {}}
    assert resumed_facts(old, FACTS | {"threads": 2, "torch": "2.13.0", "device": "cpu"}, [], tmp_path) == old
    assert capsys.readouterr().out == (
        "Other conditions than at the start (threads: 1 -> 2): sums are rounded differently\n"
    )
    resumed_facts(old, FACTS | {"threads": 1}, [], tmp_path)
    assert capsys.readouterr().out == ""
