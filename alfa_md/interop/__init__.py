"""Conversion of checkpoints from and to Meta-Dataset's TensorFlow program."""
