"""The inner loop, with recomputation and shared features, which change its cost and not its numbers."""

from alfa_md.inner_loop.loop import adapt, unroll

__all__ = ["adapt", "unroll"]
