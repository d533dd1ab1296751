"""The inner loop, and what makes it cheaper without changing a number."""

from alfa_md.inner_loop.loop import adapt, unroll

__all__ = ["adapt", "unroll"]
