"""Functions whose signature is read once: as PyTorch's own, also under vmap and with defaults."""

import inspect

import torch
from torch.func import vmap

from alfa_md.kernels.affine import Affine
from alfa_md.kernels.convolution import Convolve
from alfa_md.kernels.function import Function
from alfa_md.kernels.moments import Moments


class Scale(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x, factor=2.0):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.factor = inputs

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.factor, None


def test_defaults_gradients_and_vmap():
    x = torch.tensor([1.0, 3.0], requires_grad=True)
    assert Scale.apply(x).tolist() == [2, 6] and Scale.apply(x, 3.0).tolist() == [3, 9]
    (gradient,) = torch.autograd.grad(Scale.apply(x).sum(), x)
    assert gradient.tolist() == [2, 2] and vmap(Scale.apply)(x).tolist() == [2, 6]


def test_nothing_is_inspected_at_a_call(monkeypatch):
    monkeypatch.setattr(inspect.Signature, "from_callable", lambda *arguments, **options: 1 / 0)
    for function in (Affine, Convolve, Moments):
        assert isinstance(function.forward.__signature__, inspect.Signature)
