"""The convolution against PyTorch's: values, gradients of both orders, and vmap; float64."""

import contextvars

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck
from torch.func import grad, vmap

from alfa_md.kernels.convolution import ConvolutionFunction, convolution
from alfa_md.kernels.dispatch import double_backward

pytestmark = pytest.mark.fast_path
GEOMETRIES = [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((2, 1), (0, 2))]


@pytest.fixture(autouse=True)
def second_order():
    with double_backward():
        yield


def test_first_order_uses_pytorch_s_convolution():
    given = tensors()
    assert isinstance(convolution(*given, (1, 1), (1, 1)).grad_fn, ConvolutionFunction._backward_cls)
    with_own = contextvars.Context().run(convolution, *given, (1, 1), (1, 1))
    assert not isinstance(with_own.grad_fn, ConvolutionFunction._backward_cls)


def tensors(*lead: int, bias: bool = True) -> tuple:
    """Images, weight and bias that require gradients, with leading dimensions `lead`."""
    torch.manual_seed(0)
    shapes = [(3, 4, 7, 6), (5, 4, 3, 3), (5,)][: 3 if bias else 2]
    made = tuple(torch.randn(*lead, *shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    return made if bias else (*made, None)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("stride, padding", GEOMETRIES)
def test_values_and_strides_equal_pytorch_s(stride, padding, layout):
    x, weight, bias = tensors()
    x = x.to(memory_format=layout)
    ours, theirs = (f(x, weight, bias, stride, padding) for f in (convolution, F.conv2d))
    assert torch.equal(ours, theirs) and ours.stride() == theirs.stride()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("stride, padding", GEOMETRIES)
def test_gradients_of_both_orders_equal_finite_differences(stride, padding, bias):
    given = tensors(bias=bias)
    assert gradcheck(lambda *args: convolution(*args, stride, padding), given)
    assert gradgradcheck(lambda *args: convolution(*args, stride, padding), given)


@pytest.mark.parametrize("learned", [(0,), (1,), (2,), (1, 2)])
def test_only_inputs_that_require_gradients_get_them(learned):
    given = [tensor.detach().requires_grad_(place in learned) for place, tensor in enumerate(tensors())]
    convolution(*given, (1, 1), (1, 1)).square().sum().backward()
    assert tuple(place for place, tensor in enumerate(given) if tensor.grad is not None) == learned


def test_second_order_gradients_of_stacked_weights():
    def sharpness(convolve):
        def loss(x, weight, bias):
            return convolve(x, weight, bias, (1, 1), (1, 1)).pow(3).sum()

        return grad(lambda x, weight, bias: grad(loss, 1)(x, weight, bias).square().sum(), 1)

    given = tensors(2)
    together = vmap(sharpness(convolution))(*given)
    one_by_one = torch.stack([sharpness(F.conv2d)(*task) for task in zip(*given, strict=True)])
    torch.testing.assert_close(together, one_by_one, rtol=1e-12, atol=0)
