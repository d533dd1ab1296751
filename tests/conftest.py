"""Keeps parallel test workers from fighting over the cores and TensorFlow from filling the terminal."""

import os

import torch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
torch.set_num_threads(1)
