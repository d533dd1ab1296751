"""Checkpoints: atomic writes, loading without executing code, errors in one line."""

import os
import pickle
import re
from functools import partial
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_backbone, load_checkpoint, load_learner, save_weights
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.training.schedules import step_decay
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner, smooth_net
from tests.noise import fresh_state
from tests.runs import file_hash

HALVED = partial(step_decay, decay_every=1, decay_rate=0.5)  # after every update


def trained_state(num_updates=1):
    state = fresh_state(small_learner(), weight_decay=1e-3, schedule=HALVED)
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
    state.ranking = {1: 0.75, 2: 0.5}
    state.save(path)
    drawn = torch.rand(3)
    other = fresh_state(small_learner(num_steps=2), weight_decay=1e-3, schedule=HALVED)
    torch.manual_seed(99)
    other.restore(path)
    assert torch.equal(torch.rand(3), drawn)
    assert (other.step, other.best, other.ranking) == (2, 0.75, {1: 0.75, 2: 0.5})
    assert other.schedule.get_last_lr() == [0.0025, 0.0025]
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
        with pytest.raises(UserError, match="cannot write checkpoint .*last.pt .No space left on device.; free some"):
            trained_state(2).save(path)
    if earlier:
        assert path.read_bytes() == before and load_checkpoint(path)["step"] == 1
    else:
        assert "does not exist" in refusal(path)
    trained_state(2).save(path)
    assert load_checkpoint(path)["step"] == 2 and [file.name for file in tmp_path.iterdir()] == ["last.pt"]


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
    """Creates a folder when it is unpickled."""

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
    assert "is not of this configuration's GradientLearner" in refusal(path)


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path):
    """Flips every byte of the file in turn; whatever still loads must equal what was saved."""
    path, tensor = tmp_path / "weights.pt", torch.arange(6.0)
    save_weights(path, {"backbone.0.weight": tensor}, step=3)
    whole, refused = path.read_bytes(), 0
    for position in range(0, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        try:
            content = load_checkpoint(path)
        except UserError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error)
            continue
        assert content["step"] == 3 and torch.equal(content["learner"]["backbone.0.weight"], tensor)
    place = whole.index(tensor.numpy().tobytes())
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert "the checksum of" in refusal(path) and refused > 24


def test_a_damaged_last_checkpoint_is_replaced_by_the_previous_one(tmp_path):
    last, previous = tmp_path / "last.pt", tmp_path / "previous.pt"
    state = trained_state()
    state.save(last, previous)
    outer_step(state, [random_episode(seed=1)], clip_norm=10.0)
    state.save(last, previous)
    assert (load_checkpoint(last)["step"], load_checkpoint(previous)["step"]) == (2, 1)
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    fresh = trained_state(0)
    ((path, reason),) = fresh.restore_first([last, previous]).items()
    assert path == last and f"checkpoint {last} cannot be read" in reason and fresh.step == 1
    last.unlink()  # a run killed between the two renames of a save
    again = trained_state(0)
    assert again.restore_first([last, previous]) == {} and again.step == 1
    previous.write_bytes(b"")
    with pytest.raises(UserError, match="previous.pt cannot .*; there is no other to go on from: choose another --run"):
        trained_state(0).restore_first([last, previous])
    previous.unlink()
    assert trained_state(0).restore_first([last, previous]) == {}


def test_a_checkpoint_of_another_learner_gives_way_to_the_previous_one(tmp_path):
    last, previous = tmp_path / "last.pt", tmp_path / "previous.pt"
    trained_state().save(previous)
    fresh_state(small_learner(num_steps=3)).save(last)
    state = trained_state(0)
    ((path, reason),) = state.restore_first([last, previous]).items()
    assert path == last and "is not of this configuration's" in reason and state.step == 1
    previous.unlink()
    with pytest.raises(UserError, match="is not of this configuration's"):
        trained_state(0).restore_first([last, previous])


def test_a_temporary_name_that_is_a_link_is_not_written_through(tmp_path):
    path, elsewhere = tmp_path / "last.pt", tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (tmp_path / ".last.pt.tmp").symlink_to(elsewhere)
    trained_state().save(path)
    assert elsewhere.read_bytes() == b"mine" and load_checkpoint(path)["step"] == 1 and not path.is_symlink()


def test_a_compressed_file_is_refused_before_it_takes_memory(tmp_path):
    path = tmp_path / "best.pt"
    trained_state().save(path)
    with ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert "is compressed, or claims more than its" in refusal(path)


@pytest.mark.parametrize(
    "content", [{"learner": [], "step": 1}, {"learner": {1: torch.ones(1)}, "step": 1}, {"learner": {}, "step": -1}]
)
def test_wrong_parts_of_weights_are_refused(tmp_path, content):
    path = tmp_path / "best.pt"
    torch.save(content, path)
    assert "is not a checkpoint of this package" in refusal(path)


def test_a_checkpoint_of_other_frozen_tensors_is_refused(tmp_path):
    path, learner = tmp_path / "last.pt", small_learner()
    trained_state().save(path)
    learner.backbone.requires_grad_(False)
    with pytest.raises(UserError, match="last.pt: it was trained with other tensors frozen; .* use another --run_dir"):
        fresh_state(learner).restore(path)


def test_weights_alone_load_but_do_not_go_on(tmp_path):
    path, state = tmp_path / "weights.pt", trained_state()
    save_weights(path, state.learner.state_dict(), step=7)
    assert load_learner(small_learner(), path) == (7, file_hash(path))
    with pytest.raises(UserError, match="weights.pt lacks best, optimizer, .* a run cannot go on from it"):
        trained_state(0).restore(path)


def test_a_pretrained_start_takes_the_backbone_and_nothing_else(tmp_path):
    path, state = tmp_path / "best.pt", trained_state()
    state.save(path)
    learner, before = small_learner(num_steps=3), small_learner(num_steps=3).state_dict()  # another rule
    for parameter in learner.backbone.parameters():
        torch.nn.init.normal_(parameter)
    load_backbone(learner, path)
    for name, value in learner.state_dict().items():
        expected = state.learner.state_dict() if name.startswith("backbone.") else before
        assert torch.equal(value, expected[name])
    with pytest.raises(UserError, match="is not of this configuration's Sequential: .*size mismatch"):
        load_backbone(small_learner(backbone=smooth_net(channels=5)), path)


@pytest.mark.parametrize("load", [load_learner, load_backbone])
def test_the_hash_is_that_of_the_weights_that_were_loaded(tmp_path, monkeypatch, load):
    """A training replaces the file as soon as it has been read."""
    path, learner = tmp_path / "best.pt", small_learner()
    trained_state(1).save(path)
    before, read, first = trained_state(1).learner.state_dict(), Path.read_bytes, file_hash(path)

    def replaced_meanwhile(file):
        data = read(file)
        trained_state(2).save(path)
        return data

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", replaced_meanwhile)
        loaded = load(learner, path)
    assert loaded == (1, first) and file_hash(path) != first
    name = "backbone.0.weight"
    assert torch.equal(learner.state_dict()[name], before[name])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, value):
    path, state = tmp_path / "best.pt", trained_state()
    with torch.no_grad():
        state.learner.backbone[0].weight.view(-1)[2] = value
    state.save(path)
    name = "backbone.0.weight has 1 of .* values that are not finite: the training that wrote it diverged"
    assert re.search(name, refusal(path))
    with pytest.raises(UserError, match="0.weight has 1 of"):
        load_backbone(small_learner(), path)


def test_a_state_that_is_not_finite_gives_way_to_the_one_before(tmp_path):
    good, bad, state = tmp_path / "previous.pt", tmp_path / "last.pt", trained_state()
    state.save(good)
    next(iter(state.optimizer.state.values()))["exp_avg"].fill_(float("nan"))
    state.save(bad)
    resumed = trained_state(0)
    damaged = resumed.restore_first([bad, good])
    assert list(damaged) == [bad] and "optimizer exp_avg" in damaged[bad] and resumed.step == 1
    with pytest.raises(UserError, match="last.pt: optimizer exp_avg .* not finite"):
        trained_state(0).restore_first([bad])
