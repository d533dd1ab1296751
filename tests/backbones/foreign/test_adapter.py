"""Networks of other libraries as backbones: normalisation, size, modes, and meta-gradients against plain autograd."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from alfa_md.backbones.foreign.adapter import ForeignBackbone
from alfa_md.errors import UserError
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.rules.sgd import sgd
from tests.backbones.foreign_networks import TimmVisionTransformer, TorchvisionResNet, dinov2, timm_vit, vit
from tests.backbones.rows import ROWS

RATE, STEPS = 0.05, 2


class Kept(nn.Module):
    """Gives the images that reach it, and has a parameter without effect."""

    def __init__(self):
        super().__init__()
        self.weight, self.mask_token = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(3))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.dropout(x * self.weight).flatten(1)


def test_images_are_normalised_by_the_mean_and_deviation_of_the_network():
    pixels = torch.randint(0, 256, (2, 3, 4, 4)).double() / 255
    made = ForeignBackbone(Kept(), 4, mean=(0.1, 0.2, 0.3), deviation=(0.5, 0.6, 0.7)).double()
    mean, deviation = (torch.tensor(values)[:, None, None].double() for values in ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7)))
    torch.testing.assert_close(made(2 * pixels - 1), ((pixels - mean) / deviation).flatten(1), rtol=1e-6, atol=1e-6)
    assert made.num_features == 48


def test_images_of_another_size_are_resized_and_grey_ones_have_three_channels():
    made = ForeignBackbone(Kept(), 4, mean=(0.5,) * 3, deviation=(0.5,) * 3)
    images = torch.randn(2, 3, 10, 10)
    resized = F.interpolate(images, (4, 4), mode="bilinear", antialias=True)
    torch.testing.assert_close(made(images), resized.flatten(1))
    grey = torch.randn(2, 1, 4, 4)
    torch.testing.assert_close(made(grey), grey.expand(2, 3, 4, 4).flatten(1))


def test_the_network_stays_in_evaluation_mode():
    made = ForeignBackbone(Kept(), 4).train()
    x = torch.randn(2, 3, 4, 4)
    assert made.training and not made.network.dropout.training
    assert torch.equal(made(x), made(x)) and torch.equal(made(x), made.eval()(x))


def test_parameters_without_effect_are_stored_but_not_learned():
    made = ForeignBackbone(Kept(), 4)
    assert [name for name, _ in made.named_parameters()] == ["network.weight"]
    assert made.state_dict().keys() == {"network.weight", "network.mask_token"}
    assert {name for name, _ in dinov2().named_buffers()} == {"scale", "shift", "network.embeddings.mask_token"}


@pytest.mark.parametrize(
    "network, size, line",
    [
        (
            TimmVisionTransformer(),
            12,
            "^TimmVisionTransformer does not take images of 12 pixels .RuntimeError: The size",
        ),
        (
            nn.Unflatten(2, (2, 4)),
            8,
            r"^Unflatten gives \[2, 3, 2, 4, 8\] for 2 images, not \[2, D\]; bind features to",
        ),
        (nn.LSTM(8, 2), 8, "^LSTM does not take images of 8 pixels .*; bind its image_size"),
        (nn.Linear(3, 2), 8, "^Linear does not take images of 8 pixels .RuntimeError: mat1 and mat2 shapes cannot be"),
    ],
)
def test_a_network_of_other_inputs_or_outputs_is_refused(network, size, line):
    with pytest.raises(UserError, match=line):
        ForeignBackbone(network, size)


def plain_meta_gradients(backbone: nn.Module, episode, first_order: bool) -> dict[str, torch.Tensor]:
    """MAML's meta-gradients with prototypes as the head, by autograd and `functional_call` alone."""
    theta = {name: tensor.detach().requires_grad_() for name, tensor in backbone.named_parameters()}

    def embed(weights, images):
        return functional_call(backbone, weights, (images,))

    prototypes = torch.stack(
        [embed(theta, episode.support_x)[episode.support_y == k].mean(0) for k in range(episode.way)]
    )
    fast = theta | {"W": 2 * prototypes, "b": -prototypes.square().sum(1)}
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        for _ in range(STEPS):
            own = {name: (t.detach().requires_grad_() if first_order else t.view_as(t)) for name, t in fast.items()}
            scores = F.linear(embed(own, episode.support_x), own["W"], own["b"])
            loss = F.cross_entropy(scores, episode.support_y)
            grads = torch.autograd.grad(loss, list(own.values()), create_graph=not first_order)
            fast = {name: t - RATE * grad for (name, t), grad in zip(fast.items(), grads, strict=True)}
        scores = F.linear(embed(fast, episode.query_x), fast["W"], fast["b"])
        loss = F.cross_entropy(scores, episode.query_y)
        return dict(zip(theta, torch.autograd.grad(loss, list(theta.values())), strict=True))


@pytest.mark.parametrize("first_order", [True, False], ids=["first order", "second order"])
@pytest.mark.parametrize("make", [dinov2, vit], ids=["dinov2", "vit"])
def test_meta_gradients_equal_plain_autograd(make, first_order):
    torch.manual_seed(0)
    backbone = make().double()
    for parameter in backbone.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    episode = ROWS["transformers' dinov2"].episode(0)
    expected = plain_meta_gradients(backbone, episode, first_order)
    learner = GradientLearner(
        backbone, PrototypeHead(), partial(sgd, inner_rate=RATE), num_steps=STEPS, first_order=first_order
    ).double()
    learner.loss(episode).loss.backward()
    largest = max(grad.abs().max() for grad in expected.values())
    assert largest > 0
    for name, parameter in backbone.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-7, atol=1e-9 * largest.item())
    orders_differ = plain_meta_gradients(backbone, episode, not first_order)
    assert any((orders_differ[name] - expected[name]).abs().max() > 1e-4 * largest for name in expected)


def test_running_averages_are_refused_by_the_learner_with_the_remedy():
    with pytest.raises(UserError, match=r"layer network.bn1 keeps running averages; .* BACKBONE = @episodic\(\) and"):
        GradientLearner(ForeignBackbone(TorchvisionResNet().eval(), 16), PrototypeHead(), sgd, num_steps=1)


def test_timm_names_its_own_exceptions_from_weight_decay():
    excluded = timm_vit().no_weight_decay()
    assert {"network.cls_token", "network.pos_embed"} <= excluded and "network.patch_embed.proj.weight" not in excluded
