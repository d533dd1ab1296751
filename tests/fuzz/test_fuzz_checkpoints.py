"""Fuzzing of checkpoint files: loaded completely or refused in one line."""

import io
import math
import pickle
import warnings
import zipfile

import pytest
import torch
from hypothesis import strategies as st

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.training.step import outer_step
from tests.episodes import random_episode
from tests.experiment.test_checkpoint import trained_state
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed
from tests.fuzz.json_parts import ODD, restructured

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}


def saved(content, **options) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def repacked(archive: bytes, name: str, data: bytes) -> bytes:
    """The archive with other bytes in one of its files and valid checksums."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, data if info.filename.endswith(name) else old.read(info))
    return file.getvalue()


VALID = saved({"learner": TENSORS, "step": 3})
with zipfile.ZipFile(io.BytesIO(VALID)) as archive:
    PICKLED = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


@pytest.fixture
def check(tmp_path):
    path = tmp_path / "last.pt"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch wonders at old pickles
            content = parsed(load_checkpoint, path)
        assert content is None or {"learner", "step"} <= content.keys()

    return check


@examples(slow=400)
def test_damaged_files(check, number):
    old = saved({"learner": TENSORS, "step": 3}, _use_new_zipfile_serialization=False)
    fuzz(check, mutated([VALID, old]) | st.binary(max_size=60), number)


@examples(slow=400)
def test_damaged_pickles_under_checksums_that_hold(check, number):
    damaged = mutated([PICKLED, pickle.dumps({"learner": {}, "step": 3}, 2)])
    fuzz(lambda data: check(repacked(VALID, "data.pkl", data)), damaged, number)


@examples(slow=100)
def test_tensors_of_other_sizes_under_checksums_that_hold(check, number):
    fuzz(lambda data: check(repacked(VALID, "data/0", data)), st.binary(max_size=40), number)


TYPES = (torch.float64, torch.uint8, torch.complex64)
TENSORS_ODD = [torch.ones(shape, dtype=dtype) for shape in ((), (0,), (3,), (5056,)) for dtype in TYPES]
TENSORS_ODD += [torch.ones(2, 2).to_sparse(), torch.tensor(math.nan), torch.empty(3, device="meta")]


@examples(slow=1_000)
def test_changed_parts_of_a_training_state(tmp_path, number):
    """What is restored trains on; what is not is refused."""
    path = tmp_path / "last.pt"
    trained_state(2).save(path)

    def check(content: dict) -> None:
        torch.save(content, path)
        state = trained_state(0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if parsed(lambda: state.restore(path) or True):
                outer_step(state, [random_episode(seed=3)], clip_norm=10.0)
                state.save(tmp_path / "again.pt")

    fuzz(check, restructured(torch.load(path, weights_only=True), (*ODD, *TENSORS_ODD)), number)


def test_what_was_not_changed_is_loaded(tmp_path):
    (tmp_path / "last.pt").write_bytes(VALID)
    content = load_checkpoint(tmp_path / "last.pt")
    assert content["step"] == 3
    assert all(torch.equal(tensor, content["learner"][name]) for name, tensor in TENSORS.items())
