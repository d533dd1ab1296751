"""Moments by few passes, and in closed form, against the mean and variance that PyTorch gives; float64."""

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


def close(ours: tuple, theirs: tuple) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def plain(maps: torch.Tensor) -> tuple:
    var, mean = torch.var_mean(maps, (0, 2, 3), correction=0)
    return mean, var


@pytest.fixture
def images():
    torch.manual_seed(0)
    return 3 + torch.randn(4, 2, 6, 5, dtype=torch.float64)


@pytest.fixture
def kernel():
    return torch.randn(9, 2, 3, 3, dtype=torch.float64, requires_grad=True)


def test_moments_of_maps(images):
    close(batch_moments(images), plain(images))
    learned = images.requires_grad_()
    assert gradcheck(batch_moments, (learned,)) and gradgradcheck(batch_moments, (learned,))


def test_moments_of_a_convolution_without_looking_at_it(images, kernel):
    moments = [convolved_moments(images, kernel, PADDING), plain(F.conv2d(images, kernel, None, 1, PADDING))]
    close(*moments)
    gradients = [torch.autograd.grad((mean * var).sum(), kernel, create_graph=True)[0] for mean, var in moments]
    close(gradients[:1], gradients[1:])
    close(*(torch.autograd.grad(gradient.square().sum(), kernel) for gradient in gradients))


def test_patches_are_counted_once_a_task(images, kernel, monkeypatch):
    computed = []
    monkeypatch.setattr(
        patch_moments,
        "compute_patch_moments",
        lambda *args, f=patch_moments.compute_patch_moments: computed.append(0) or f(*args),
    )
    for _ in range(3):
        convolved_moments(images, kernel, PADDING)
    assert len(computed) == 1
    convolved_moments(images, kernel, (0, 0))
    convolved_moments(images.clone(), kernel, (0, 0))
    assert len(computed) == 3
    images.mul_(2)  # other pixels in the same place
    close(convolved_moments(images, kernel, (0, 0)), plain(F.conv2d(images, kernel)))
    assert len(computed) == 4


def test_what_was_counted_goes_with_the_images(kernel):
    gc.collect()
    before = len(patch_moments._cache)
    images = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    convolved_moments(images, kernel, PADDING)
    assert len(patch_moments._cache) == before + 1
    del images
    assert len(patch_moments._cache) == before


def test_where_the_closed_form_pays(images):
    assert closed_form_is_cheaper(nn.Conv2d(2, 19, 3), images)
    assert not closed_form_is_cheaper(nn.Conv2d(2, 18, 3), images)  # patches of 18 numbers, 18 channels
    assert not closed_form_is_cheaper(nn.Conv2d(2, 19, 3), images.requires_grad_())
