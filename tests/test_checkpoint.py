"""Checkpoints: whole or not at all, read without running code, refused in one line where they do not fit."""

import os
import pickle

import pytest
import torch

from alfa_md.checkpoint import file_hash, load, load_learner
from alfa_md.errors import UserError
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.training import outer_step
from tests.episodes import random_episode, small_learner, smooth_net
from tests.noise import fresh_state


def trained_state(num_updates=1):
    state = fresh_state(small_learner(), weight_decay=1e-3, decay_every=1, decay_rate=0.5)
    for seed in range(num_updates):
        outer_step(state, [random_episode(seed=seed)], clip_norm=10.0)
    return state


def refusal(path) -> str:
    with pytest.raises(UserError) as caught:
        load_learner(small_learner(), path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_restoring_takes_over_everything(tmp_path):
    state, path = trained_state(2), tmp_path / "last.pt"
    state.best = 0.75
    state.save(path)
    drawn = torch.rand(3)
    other = fresh_state(small_learner(num_steps=2), weight_decay=1e-3, decay_every=1, decay_rate=0.5)
    torch.manual_seed(99)
    other.restore(path)
    assert torch.equal(torch.rand(3), drawn)
    assert (other.step, other.best, other.schedule.get_last_lr()) == (2, 0.75, [0.0025, 0.0025])
    for one in (state, other):
        outer_step(one, [random_episode(seed=5)], clip_norm=10.0)  # the optimiser's moments count here
    for name, value in state.learner.state_dict().items():
        assert torch.equal(value, other.learner.state_dict()[name])


@pytest.mark.parametrize("earlier", [True, False])
def test_a_write_that_fails_midway_leaves_what_was_there(tmp_path, monkeypatch, earlier):
    state, path = trained_state(), tmp_path / "last.pt"
    if earlier:
        state.save(path)
    before = path.read_bytes() if earlier else None

    def disk_full(content, file):
        file.write(b"half a checkpoint")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", disk_full)
        with pytest.raises(OSError, match="No space left"):
            trained_state(2).save(path)
    if earlier:
        assert path.read_bytes() == before and load(path)["step"] == 1
    else:
        assert "does not exist" in refusal(path)
    trained_state(2).save(path)
    assert load(path)["step"] == 2 and [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_file_appears_under_its_name_only_when_complete(tmp_path, monkeypatch):
    path, sizes = tmp_path / "last.pt", []
    replace = os.replace

    def watched(source, target):
        sizes.append(os.path.getsize(source))
        assert not path.exists()
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    trained_state().save(path)
    assert sizes == [path.stat().st_size]


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, 2))])
def test_code_in_a_checkpoint_is_refused_and_does_not_run(tmp_path, write):
    path, trace = tmp_path / "best.pt", tmp_path / "trace"
    write({"learner": Payload(trace)}, path)
    assert "cannot be read" in refusal(path)
    assert not trace.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "best.pt"
    trained_state().save(path)
    whole = path.read_bytes()
    old_format = tmp_path / "old.pt"
    torch.save({"learner": torch.ones(3)}, old_format, _use_new_zipfile_serialization=False)
    old = old_format.read_bytes()
    damaged = [whole[: len(whole) * k // 10] for k in range(10)] + [old[:k] for k in range(0, len(old), 7)]
    for content in damaged + [whole[:-1], b"not a checkpoint", b"\x80\x02K"]:
        path.write_bytes(content)
        assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {"learner": {}}, torch.ones(2)])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "best.pt"
    torch.save(content, path)
    assert "is not a checkpoint of this package" in refusal(path)


@pytest.mark.parametrize(
    "other",
    [
        lambda: small_learner(backbone=smooth_net(channels=5)),
        lambda: small_learner(num_steps=3),
        lambda: PrototypicalLearner(smooth_net()).double(),
    ],
)
def test_another_architecture_is_refused(tmp_path, other):
    path = tmp_path / "best.pt"
    fresh_state(other()).save(path)
    assert "is not of this configuration's learner" in refusal(path)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    path = tmp_path / "best.pt"
    path.write_bytes(b"abc")
    assert file_hash(path) == "ba7816bf8f01cfea"  # SHA-256 of abc, as its standard prints it
