"""Limits threads of parallel test workers and the log output of TensorFlow, clears gin; adds --plain."""

import contextlib
import os

import gin
import pytest
import torch

from tests.plain import plain_path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--plain", action="store_true", help="run on the plain path, without fast kernels")


@pytest.fixture(scope="session", autouse=True)
def chosen_path(request):
    """The plain or the fast path, for the whole session."""
    with plain_path() if request.config.getoption("--plain") else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module", autouse=True)
def no_configuration_left():
    """No gin configuration of one module of tests acts in the next."""
    yield
    gin.clear_config()


def pytest_collection_modifyitems(config, items):
    if config.getoption("--plain"):
        for item in items:
            if "fast_path" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="tests the fast path, but --plain is given"))
