"""The weights of an exported run: every tensor comes back bit for bit, and nothing but tensors is read."""

import io

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_checkpoint, load_learner
from alfa_md.experiment.exported_weights import write_weights
from alfa_md.experiment.safetensors_file import write_safetensors
from tests.entries.damage import Trap
from tests.episodes import small_learner

SHARED = torch.arange(6.0)


def test_tensors_of_every_kind_return_bit_for_bit(tmp_path):
    tensors = {
        "image": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "part": torch.randn(4, 4)[:, 1],
        "one": SHARED,
        "same": SHARED,
        "count": torch.tensor(3),
        "half": torch.randn(3).bfloat16(),
        "special": torch.tensor([-0.0, 1e-45, 3.4e38]),
        "empty": torch.zeros(0, 2),
    }
    write_weights(tmp_path / "model.safetensors", tensors, 12)
    content = load_checkpoint(tmp_path / "model.safetensors")
    assert content["step"] == 12 and content["learner"].keys() == tensors.keys()
    for name, value in content["learner"].items():
        assert value.dtype == tensors[name].dtype and torch.equal(value, tensors[name])
    assert content["learner"]["special"].signbit()[0]


def test_equal_weights_make_equal_files(tmp_path):
    learner = small_learner()
    for name in ("a", "b"):
        write_weights(tmp_path / f"{name}.safetensors", learner.state_dict(), 1)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_value_that_is_not_finite_is_refused_at_loading(tmp_path):
    tensors = {name: value.clone() for name, value in small_learner().state_dict().items()}
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    write_weights(tmp_path / "model.safetensors", tensors, 1)
    with pytest.raises(UserError, match=r"has 1 of \d+ values that are not finite"):
        load_learner(small_learner(), tmp_path / "model.safetensors")


@pytest.mark.parametrize("updates", [None, "", "-1", "²", "1.5", "9" * 30])
def test_a_file_without_a_number_of_updates_is_no_learner(tmp_path, updates):
    metadata = {} if updates is None else {"updates": updates}
    write_safetensors(tmp_path / "other.safetensors", {"a": torch.ones(1)}, metadata)
    with pytest.raises(UserError, match="other.safetensors is not a checkpoint of this package; use another"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_a_pickle_of_that_name_is_refused_and_not_run(tmp_path):
    file = io.BytesIO()
    torch.save({"learner": Trap(tmp_path / "trace"), "step": 2}, file)
    (tmp_path / "model.safetensors").write_bytes(file.getvalue())
    with pytest.raises(UserError, match="model.safetensors: "):
        load_checkpoint(tmp_path / "model.safetensors")
    assert not (tmp_path / "trace").exists()
