"""ALFA on Meta-Dataset: gradient-based few-shot learning with gin-configured learners in PyTorch."""

__version__ = "0.1.0"
