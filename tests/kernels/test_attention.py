"""Attention by its formula: double backward, stacked tasks, and restored settings of PyTorch."""

import warnings
from threading import Event, Thread

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, vmap

from alfa_md.kernels.attention import attention_by_formula
from alfa_md.kernels.dispatch import double_backward, stacked_tasks

BY_FORMULA = [True, False, False, False, False]


def settings() -> list[bool]:
    return [setting.get() for setting in attention_by_formula.settings]


@pytest.mark.parametrize("block", [double_backward, stacked_tasks])
def test_settings_are_temporary_and_restored_after_an_error(block):
    before = settings()
    assert before != BY_FORMULA
    with pytest.raises(KeyError), block():
        assert settings() == BY_FORMULA
        with block():
            pass
        assert settings() == BY_FORMULA
        raise KeyError
    assert settings() == before


def test_settings_changed_by_the_user_are_restored():
    last = attention_by_formula.settings[-1]
    last.set(False)
    try:
        with double_backward():
            pass
        assert last.get() is False
    finally:
        last.set(True)


def test_settings_are_restored_when_the_last_thread_leaves():
    before, entered, left = settings(), Event(), Event()

    def other():
        with double_backward():
            entered.set()
            left.wait(10)

    thread = Thread(target=other)
    with double_backward():
        thread.start()
        assert entered.wait(10)
    assert settings() == BY_FORMULA
    left.set()
    thread.join()
    assert settings() == before


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_attention_has_a_second_derivative(dtype):
    """PyTorch's fused CPU kernel has no second derivative."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 2, 5, 4, dtype=dtype, requires_grad=True) for _ in range(3))

    def squared_gradient() -> torch.Tensor:
        loss = F.scaled_dot_product_attention(q, k, v).square().sum()
        return sum(grad.square().sum() for grad in torch.autograd.grad(loss, (q, k, v), create_graph=True))

    with pytest.raises(RuntimeError, match="derivative for .*attention.* is not implemented"):
        squared_gradient().backward()
    with double_backward():
        value = squared_gradient()
    value.backward()  # outside of the block: the implementation was chosen in the forward pass
    assert all(x.grad.isfinite().all() and x.grad.any() for x in (q, k, v))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_transformer_encoder_layer_under_vmap_without_a_loop_over_tasks(training, grad):
    torch.manual_seed(0)
    net = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).train(training).requires_grad_(grad)
    stacks = {
        name: torch.stack([p + 0.1 * torch.randn_like(p) for _ in range(3)]) for name, p in net.named_parameters()
    }
    x = torch.randn(3, 4, 5, 8)

    def forward(params, x):
        return functional_call(net, params, (x,))

    with torch.set_grad_enabled(grad), warnings.catch_warnings():
        warnings.simplefilter("error")
        with stacked_tasks():
            together = vmap(forward)(stacks, x)
        one_by_one = [forward({name: stack[i] for name, stack in stacks.items()}, x[i]) for i in range(3)]
    torch.testing.assert_close(together, torch.stack(one_by_one))
