"""Benchmarks of reading and training, compared with the implementations that they replace."""
