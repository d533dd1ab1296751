"""Batch moments, and moments of a convolution in closed form, against torch.var_mean; float64."""

import gc

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from alfa_md.kernels import patch_moments
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.patch_moments import closed_form_is_cheaper, convolved_moments

PADDING = (1, 1)


def assert_close_pairs(ours: tuple, theirs: tuple) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def var_mean(x: torch.Tensor) -> tuple:
    var, mean = torch.var_mean(x, (0, 2, 3), correction=0)
    return mean, var


@pytest.fixture
def images():
    torch.manual_seed(0)
    return 3 + torch.randn(4, 2, 6, 5, dtype=torch.float64)


@pytest.fixture
def weight():
    return torch.randn(9, 2, 3, 3, dtype=torch.float64, requires_grad=True)


def test_moments_and_gradients_of_both_orders(images):
    assert_close_pairs(batch_moments(images), var_mean(images))
    learned = images.requires_grad_()
    assert gradcheck(batch_moments, (learned,)) and gradgradcheck(batch_moments, (learned,))


def test_moments_of_a_convolution_in_closed_form(images, weight):
    moments = [convolved_moments(images, weight, PADDING), var_mean(F.conv2d(images, weight, None, 1, PADDING))]
    assert_close_pairs(*moments)
    gradients = [torch.autograd.grad((mean * var).sum(), weight, create_graph=True)[0] for mean, var in moments]
    assert_close_pairs(gradients[:1], gradients[1:])
    assert_close_pairs(*(torch.autograd.grad(gradient.square().sum(), weight) for gradient in gradients))


def test_patch_moments_are_computed_once_per_images_and_geometry(images, weight, monkeypatch):
    computed = []
    monkeypatch.setattr(
        patch_moments,
        "compute_patch_moments",
        lambda *args, f=patch_moments.compute_patch_moments: computed.append(0) or f(*args),
    )
    for _ in range(3):
        convolved_moments(images, weight, PADDING)
    assert len(computed) == 1
    convolved_moments(images, weight, (0, 0))
    convolved_moments(images.clone(), weight, (0, 0))
    assert len(computed) == 3
    images.mul_(2)  # other values at the same address
    assert_close_pairs(convolved_moments(images, weight, (0, 0)), var_mean(F.conv2d(images, weight)))
    assert len(computed) == 4


def test_cached_patch_moments_are_freed_with_the_images(weight):
    gc.collect()
    before = len(patch_moments._cache)
    images = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    convolved_moments(images, weight, PADDING)
    assert len(patch_moments._cache) == before + 1
    del images
    assert len(patch_moments._cache) == before


def test_condition_for_the_closed_form(images):
    assert closed_form_is_cheaper(nn.Conv2d(2, 19, 3), images)
    assert not closed_form_is_cheaper(nn.Conv2d(2, 18, 3), images)  # patches of 18 entries, 18 channels
    assert not closed_form_is_cheaper(nn.Conv2d(2, 19, 3), images.requires_grad_())
