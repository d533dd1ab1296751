"""The small vision transformer: definition, sizes, gin file, and meta-training."""

import gin
import pytest
import torch
import torch.nn.functional as F

from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.data.miniature import miniature_root
from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import paired_difference
from alfa_md.training import loop
from tests.entries.harness import needs_tensorflow
from tests.noise import CPU, accuracies


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def test_features_against_the_definition():
    torch.manual_seed(0)
    net = VitTiny(image_size=6, patch_size=3, width=8, depth=1, num_heads=2).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(std=0.5)
    x, w = torch.randn(2, 3, 6, 6, dtype=torch.float64), dict(net.named_parameters())

    def norm(tokens, name):
        centred = tokens - tokens.mean(-1, keepdim=True)
        std = (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return centred / std * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(tokens, name):
        return tokens @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    patches = [x[:, :, i : i + 3, j : j + 3].flatten(1) for i in (0, 3) for j in (0, 3)]  # row by row
    tokens = torch.stack([patch @ w["patches.weight"].flatten(1).T for patch in patches], dim=1)
    tokens = tokens + w["patches.bias"] + w["position"]
    q, k, v = dense(norm(tokens, "blocks.0.attention_norm"), "blocks.0.qkv").chunk(3, dim=-1)
    heads = [slice(0, 4), slice(4, 8)]
    mixed = [(q[..., h] @ k[..., h].mT / 2).softmax(-1) @ v[..., h] for h in heads]  # 2 is the root of a head's width
    tokens = tokens + dense(torch.cat(mixed, dim=-1), "blocks.0.output")
    hidden = F.gelu(dense(norm(tokens, "blocks.0.mlp_norm"), "blocks.0.mlp.0"))
    tokens = tokens + dense(hidden, "blocks.0.mlp.2")
    torch.testing.assert_close(net(x), norm(tokens, "norm").mean(dim=1))


def test_features_do_not_depend_on_other_images_of_the_batch():
    net, x = VitTiny(8, 4, 8, 1, 2).double(), torch.randn(4, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(net(x)[:2], net(x[:2]))


def test_weights_are_xavier_uniform_and_biases_zero():
    torch.manual_seed(0)
    net = VitTiny()
    for name, parameter in net.named_parameters():
        if parameter.dim() >= 2 and name != "position":
            fan_out, fan_in = parameter.flatten(1).shape
            bound = (6 / (fan_in + fan_out)) ** 0.5
            assert 0.95 * bound < parameter.abs().max() <= bound, name
        elif name.endswith("bias"):
            assert not parameter.any(), name
    assert net.position.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize(
    "sizes, line",
    [
        ({"image_size": 80}, "VitTiny.image_size = 80 must be a multiple of VitTiny.patch_size = 6"),
        ({"width": 66}, "VitTiny.width = 66 must be a multiple of VitTiny.num_heads = 4"),
        ({"depth": 0}, "VitTiny.depth = 0 must be at least 1"),
        ({"patch_size": 0}, "VitTiny.patch_size = 0 must be at least 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, line):
    with pytest.raises(UserError, match=f"^{line}"):
        VitTiny(**sizes)


@needs_tensorflow
def test_the_gin_file_builds_it_at_84_pixels():
    config.parse(["gin/proto_maml_alfa.gin", "gin/quickstart.gin", "gin/parts/vit_tiny.gin"])
    made = definition.build_experiment(0)
    backbone = made.learner.backbone
    assert isinstance(backbone, VitTiny) and backbone.position.shape == (14 * 14, 64)
    source = made.evaluation(miniature_root(), "ilsvrc_2012", "valid", seed=0)
    assert source.stamp()["image_size"] == backbone.image_size == 84


@pytest.mark.slow
@needs_tensorflow
def test_meta_training_on_the_miniature_beats_the_untrained_network(tmp_path):
    """fo-Proto-MAML + ALFA on 32 pixels, patches of 4, 150 updates: by more than twice the interval of the gain."""
    files = ["gin/proto_maml_alfa.gin", "gin/quickstart.gin", "gin/parts/vit_tiny.gin"]
    sizes = ("IMAGE_SIZE = 32", "VitTiny.patch_size = 4")
    config.parse(files, [*sizes, "train.num_updates = 150", "train.validate_every = 150"])
    built, root = definition.build_experiment(0), miniature_root()
    source = built.evaluation(root, "ilsvrc_2012", "test", seed=0)
    untrained = accuracies(built.learner, source, 40)
    facts = {"name": "vit", "seed": 0, "data_root": str(root), "data_kind": "miniature"}
    state = loop.train(built, RunDirectory(tmp_path / "run"), root, facts, CPU)
    gain = paired_difference(accuracies(state.learner, source, 40), untrained)
    assert gain.mean > 2 * gain.ci95 > 0
