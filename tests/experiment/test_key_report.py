"""Names of weights files against those of a backbone: prefixes, and what is missing, unexpected or of another shape."""

import pytest
import torch
from torch import nn

from alfa_md.backbones.foreign.adapter import ForeignBackbone
from alfa_md.experiment.key_report import compare, unwrapped
from tests.backbones.foreign_networks import TorchvisionResNet, torchvision_resnet


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "model.encoder.", "teacher.module.backbone."])
def test_tensors_are_found_under_any_prefix(prefix):
    own = network().state_dict()
    given = {f"{prefix}{name}": tensor + 1 for name, tensor in own.items()} | {"head.weight": torch.ones(9, 2)}
    report = compare(own, given)
    assert report.taken.keys() == own.keys() and report.share == 1 and report.unexpected == ("head.weight",)
    assert all(torch.equal(report.taken[name], own[name] + 1) for name in own)


def test_the_prefix_with_the_most_values_is_taken():
    own = network().state_dict()
    student = {f"student.{name}": tensor for name, tensor in own.items() if name != "0.weight"}
    teacher = {f"teacher.{name}": tensor for name, tensor in own.items() if name != "1.bias"}
    report = compare(own, student | teacher)
    assert report.missing == ("1.bias",) and len(report.unexpected) == 3 and report.share == 24 / 26


def test_everything_that_differs_is_named():
    own = network().state_dict()
    given = {"0.weight": torch.ones(4, 5), "0.bias": torch.ones(4, dtype=torch.int64), "1.weight": torch.ones(2, 4)}
    report = compare(own, given)
    assert report.share == 8 / 26 and report.percent == "30.76 %" and report.missing == ("1.bias",)
    assert report.shapes == (
        "0.weight float32[4, 5] in the file, float32[4, 3] in the backbone",
        "0.bias int64[4] in the file, float32[4] in the backbone",
    )
    assert list(report.lines())[:2] == [
        "1 of 4 tensors taken, 30.76 % of the backbone's values",
        "  not in the file: 1.bias",
    ]


def test_names_of_files_are_printed_without_control_characters_and_shortened():
    report = compare(network().state_dict(), {f"x\n{k}": torch.ones(1) for k in range(9)})
    assert report.unexpected[0] == r"x\n0" and report.share == 0
    assert list(report.lines())[-1] == r"  not in the backbone: x\n0, x\n1, x\n2, x\n3 and 5 more"


def test_an_adapter_has_no_name_in_files_and_running_averages_are_left_out():
    file = TorchvisionResNet().state_dict()
    report = compare(torchvision_resnet().state_dict(), {f"module.{name}": tensor for name, tensor in file.items()})
    assert report.share == 1 and all(name.startswith("network.") for name in report.taken)
    assert report.averages == 18 and set(report.unexpected) == {"module.fc.weight", "module.fc.bias"}
    kept = compare(ForeignBackbone(TorchvisionResNet(), 16).state_dict(), file)
    assert kept.share == 1 and kept.averages == 0


def test_wrappers_of_all_names_are_taken_off():
    tensors = {"module._orig_mod.a": 1, "module._orig_mod.b.module.c": 2}
    assert unwrapped(tensors) == {"a": 1, "b.module.c": 2}
    assert unwrapped({"module.a": 1, "b": 2}) == {"module.a": 1, "b": 2}
