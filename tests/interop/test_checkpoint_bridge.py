"""Conversion of checkpoints in both directions: converted tensors, omitted tensors, and all refusals."""

import os

import numpy as np
import pytest
import torch
from torch import nn

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.data.tfrecord.variables import read_variables, write_variables
from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_checkpoint, save_weights
from alfa_md.heads import LearnedHead
from alfa_md.interop.checkpoint_bridge import convert_checkpoint
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.rules.alfa import alfa
from tests.entries.harness import run_entry
from tests.noise import fresh_state

FIRST, LAST = "four_layer_convnet/layer_0/weight", "four_layer_convnet/layer_3/batch_norm/offset"


@pytest.fixture
def convnet_weights() -> dict[str, torch.Tensor]:
    """The tensors of a weights file of ours."""
    return PrototypicalLearner(FourLayerConvNet()).state_dict()


def equal(a, b) -> bool:
    """True if names and arrays are equal bit for bit."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and a[name].shape == b[name].shape and (a[name] == b[name]).all() for name in a
    )


def refusal(source, target) -> str:
    before = sorted(target.parent.iterdir())
    with pytest.raises(UserError) as caught:
        convert_checkpoint(str(source), str(target))
    assert "\n" not in str(caught.value)
    assert sorted(target.parent.iterdir()) == before
    return str(caught.value)


def test_classifiers_change_their_layout_and_what_the_optimiser_keeps_is_left_out(convnet, tmp_path):
    convnet.save(tmp_path / "model.ckpt")
    line = convert_checkpoint(f"{tmp_path}/model.ckpt", f"{tmp_path}/ours.pt")
    assert line.endswith("four_layer_convnet (12 tensors) + fc/weight + fc/bias; left out, having no counterpart: 28")
    tensors, saved = load_checkpoint(tmp_path / "ours.pt")["learner"], convnet.values()
    assert len(tensors) == 14 and tensors["classifier.weight"].is_contiguous()
    assert np.array_equal(tensors["classifier.weight"].numpy(), saved["fc/weight"].T)
    assert np.array_equal(tensors["classifier.bias"].numpy(), saved["fc/bias"])


def maml_alfa() -> GradientLearner:
    return GradientLearner(FourLayerConvNet(), LearnedHead(256, 5), lambda t, n: alfa(t, n, inner_rate=0.01), 2)


def test_a_training_checkpoint_of_ours_is_taken_too(tf, tmp_path):
    """The learned head is converted, the update rule is not; the way back restores the learner's names."""
    state = fresh_state(maml_alfa())
    state.step = 40
    state.save(tmp_path / "last.pt")
    rule = sum(name.startswith("rule.") for name in state.learner.state_dict())
    line = convert_checkpoint(f"{tmp_path}/last.pt", f"{tmp_path}/model_40.ckpt")
    assert rule and line.endswith(
        f"linear_classifier/weight + linear_classifier/bias; left out, having no counterpart: {rule}"
    )
    assert read_variables(tmp_path / "model_40.ckpt")["global_step"] == 40
    convert_checkpoint(f"{tmp_path}/model_40.ckpt", f"{tmp_path}/back.pt")
    own = {name: value for name, value in state.learner.state_dict().items() if not name.startswith("rule.")}
    assert equal(load_checkpoint(tmp_path / "back.pt")["learner"], own)


def test_a_weight_normalised_classifier_does_not_pass_for_a_plain_one(tf, convnet_weights, tmp_path):
    norm = {"classifier.weight": torch.ones(3, 256), "classifier.scale": torch.ones(3)}
    save_weights(tmp_path / "ours.pt", {**convnet_weights, **norm}, 3)
    line = convert_checkpoint(f"{tmp_path}/ours.pt", f"{tmp_path}/there")
    assert line.endswith("four_layer_convnet (12 tensors); left out, having no counterpart: 2")
    assert not any(name.startswith("fc/") for name in read_variables(tmp_path / "there"))


def test_scale_and_offset_are_taken_without_the_dimensions_of_the_moments(convnet, tmp_path):
    flat = {n: v.reshape(-1) if "batch_norm" in n else v for n, v in convnet.values().items()}
    write_variables(tmp_path / "flat", flat)
    convert_checkpoint(f"{tmp_path}/flat", f"{tmp_path}/ours.pt")
    convert_checkpoint(f"{tmp_path}/ours.pt", f"{tmp_path}/back")
    assert equal(read_variables(tmp_path / "back"), convnet.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({LAST: None}, f"{LAST} of the four_layer_convnet is missing"),
        ({FIRST: None}, f"{FIRST} of the four_layer_convnet is missing"),
        ({FIRST: np.ones((3, 3, 3, 32), np.float32)}, f"{FIRST} is float32 [3, 3, 3, 32], where the official network"),
        ({FIRST: np.ones((64, 3, 3, 3), np.float32)}, f"{FIRST} is float32 [64, 3, 3, 3]"),
        ({FIRST: np.ones(1728, np.float32)}, f"{FIRST} is float32 [1728]"),
        ({FIRST: np.ones((3, 3, 3, 64))}, f"{FIRST} is float64 [3, 3, 3, 64]"),
        ({LAST: np.ones((2, 32), np.float32)}, f"{LAST} is float32 [2, 32]"),
        ({"fc/weight": np.ones(7, np.float32)}, "fc/weight is float32 [7]"),
        ({"fc/bias": np.ones((7, 1), np.float32)}, "fc/bias is float32 [7, 1]"),
        ({"global_step": np.ones(2, np.int64)}, "global_step is int64 [2], not one integer"),
        (
            {"four_layer_convnet/layer_0/batch_norm/mean_ema": np.ones(64, np.float32)},
            "layer_0/batch_norm/mean_ema is not",
        ),
        ({"resnet18/conv1/weight": np.ones(3, np.float32)}, "is not of the official"),
    ],
)
def test_an_official_checkpoint_that_does_not_fit_is_refused(convnet, tmp_path, changes, message):
    variables = {name: value for name, value in (convnet.values() | changes).items() if value is not None}
    write_variables(tmp_path / "model.ckpt", variables)
    text = refusal(tmp_path / "model.ckpt", tmp_path / "ours.pt")
    assert message in text and text.startswith(f"{tmp_path}/model.ckpt: ")


@pytest.mark.parametrize("scope", ["resnet34", "relationnet_convnet", "fc"])
def test_an_official_checkpoint_of_another_network_is_refused(convnet, tmp_path, scope):
    renamed = {name.replace("four_layer_convnet", scope): value for name, value in convnet.values().items()}
    write_variables(tmp_path / "model.ckpt", renamed)
    assert "holds no network that can be converted" in refusal(tmp_path / "model.ckpt", tmp_path / "ours.pt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone.layers.2.1.bias": None}, "backbone.layers.2.1.bias of the four_layer_convnet is missing"),
        ({"backbone.layers.2.1.bias": torch.ones(32)}, "backbone.layers.2.1.bias is float32 [32], where the official"),
        ({"backbone.layers.2.1.bias": torch.ones(64).double()}, "is float64 [64]"),
        ({"backbone.layers.2.1.bias": "ones"}, None),
        ({"backbone.layers.4.0.weight": torch.ones(1)}, "backbone.layers.4.0.weight is not of the official"),
        ({"head.weight": torch.ones(3)}, "head.weight is float32 [3]"),
    ],
)
def test_a_file_of_ours_that_does_not_fit_is_refused(tf, convnet_weights, tmp_path, changes, message):
    tensors = {name: value for name, value in {**convnet_weights, **changes}.items() if value is not None}
    torch.save({"learner": tensors, "step": 1}, tmp_path / "ours.pt")
    text = refusal(tmp_path / "ours.pt", tmp_path / "model.ckpt")
    other = f"{tmp_path}/ours.pt is not a checkpoint of this package"
    assert text.startswith(f"{tmp_path}/ours.pt: " if message else other) and (message or "") in text


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (nn.Flatten, "holds no network that can be converted; known are the official resnet18, wide_resnet, four_lay"),
        (lambda: FourLayerConvNet(num_filters=8), "backbone.layers.0.0.weight is float32 [8, 3, 3, 3]"),
    ],
)
def test_a_network_that_the_official_program_lacks_is_refused(tf, tmp_path, backbone, message):
    save_weights(tmp_path / "ours.pt", PrototypicalLearner(backbone()).state_dict(), 1)
    assert message in refusal(tmp_path / "ours.pt", tmp_path / "model.ckpt")


@pytest.mark.parametrize("content", [{"learner": [1], "step": 1}, {"learner": {}, "step": "1"}, {"weights": {}}])
def test_a_file_of_something_else_is_refused(tf, tmp_path, content):
    torch.save(content, tmp_path / "ours.pt")
    assert "is not a checkpoint of this package" in refusal(tmp_path / "ours.pt", tmp_path / "model.ckpt")


class Payload:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_code_in_a_file_of_ours_is_refused_and_does_not_run(tf, tmp_path):
    torch.save({"learner": Payload(tmp_path / "trace"), "step": 1}, tmp_path / "ours.pt")
    assert "cannot be read" in refusal(tmp_path / "ours.pt", tmp_path / "model.ckpt")
    assert not (tmp_path / "trace").exists()


def test_damaged_and_missing_files_are_refused(tf, tmp_path):
    target = tmp_path / "target"
    assert "nowhere: no such checkpoint" in refusal(tmp_path / "nowhere", target)
    assert "no such checkpoint" in refusal(tmp_path, target)  # a folder
    (tmp_path / "ours.pt").write_bytes(b"PK")
    assert "cannot be read" in refusal(tmp_path / "ours.pt", target)
    (tmp_path / "model.ckpt.index").write_bytes(b"not an index")
    assert "cannot be read as a TensorFlow checkpoint" in refusal(tmp_path / "model.ckpt", target)


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_part_of_a_checkpoint_is_answered_with_the_whole(tf, tmp_path, suffix):
    write_variables(tmp_path / "model_1.ckpt", {"x": np.ones(1, np.float32)})
    text = refusal(tmp_path / f"model_1.ckpt{suffix}", tmp_path / "ours.pt")
    assert text.endswith(f"--from={tmp_path}/model_1.ckpt")


@pytest.mark.parametrize("name", ["target", "target.index", "target.data-00000-of-00001"])
def test_nothing_is_written_over(convnet, convnet_weights, tmp_path, name):
    convnet.save(tmp_path / "model.ckpt")
    save_weights(tmp_path / "ours.pt", convnet_weights, 1)
    (tmp_path / name).write_bytes(b"precious")
    for source in ("model.ckpt", "ours.pt"):
        assert "exists already" in refusal(tmp_path / source, tmp_path / "target")
    assert (tmp_path / name).read_bytes() == b"precious"


def test_a_folder_that_is_not_there_is_named(convnet, convnet_weights, tmp_path):
    convnet.save(tmp_path / "model.ckpt")
    save_weights(tmp_path / "ours.pt", convnet_weights, 1)
    for source in ("model.ckpt", "ours.pt"):
        with pytest.raises(UserError, match=r"nowhere/target.* \(No such file or directory\)"):
            convert_checkpoint(f"{tmp_path}/{source}", f"{tmp_path}/nowhere/target")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["checkpoint", "--from=a"], "--to must be given"),
        (["checkpoint", "--to=a"], "--from must be given"),
        (["checkpoint", "--source_dir=a", "--records_root_dir=b"], "--from and --to must be given"),
        (["omniglot", "--from=a", "--to=b"], "--source_dir and --records_root_dir must be given"),
        (["checkpoint", "--from=a", "--to="], "--to= is empty; give a value"),
        (["checkpoint", "--from=nowhere", "--to=b"], "nowhere: no such checkpoint"),
        ([], "name checkpoint or one source"),
    ],
)
def test_the_entry_says_what_is_missing(tmp_path, arguments, message):
    assert message in run_entry("convert", *arguments, cwd=tmp_path).error
    assert list(tmp_path.iterdir()) == []


def test_the_entry_converts_both_ways(convnet, tmp_path):
    convnet.save(tmp_path / "model.ckpt")
    for source, target in (("model.ckpt", "ours.pt"), ("ours.pt", "back.ckpt")):
        outcome = run_entry("convert", "checkpoint", f"--from={source}", f"--to={target}", cwd=tmp_path)
        assert (outcome.code, outcome.err) == (0, "") and outcome.out.startswith(f"{target}: four_layer_convnet (12")
    assert equal(read_variables(tmp_path / "back.ckpt"), convnet.values())
