"""Base of autograd Functions with `setup_context`, whose signature is read once.

`torch.autograd.Function.apply` calls `inspect.signature(forward)` at every call of such a Function (torch 2.13.0). That
is a third of a small one's cost; `inspect` takes a signature that is there already.
"""

import inspect

from torch import autograd


class Function(autograd.Function):
    """`torch.autograd.Function` with `forward.__signature__` set."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "forward" in vars(cls):
            cls.forward.__signature__ = inspect.signature(cls.forward)
