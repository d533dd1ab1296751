"""Fixtures: TensorFlow, and a checkpoint of the official four-layer network."""

import pytest

from alfa_md.data.tfrecord import runtime
from tests.official_program import OfficialGraph


@pytest.fixture(scope="module")
def tf():
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return runtime.tensorflow()


@pytest.fixture(scope="module")
def convnet(tf) -> OfficialGraph:
    return OfficialGraph(tf, "four_layer_convnet", size=32, classifier=("fc", 7))
