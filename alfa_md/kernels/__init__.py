"""Implementations of PyTorch operations for double backward, stacked tasks and launch-bound devices."""
