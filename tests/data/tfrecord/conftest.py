"""Fixtures of the tests of the TFRecord reader."""

import pytest

from alfa_md.data.tfrecord import runtime


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A separate cache directory for the test."""
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tf():
    """TensorFlow as the package initialises it; skips the test if it is not installed."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return runtime.tensorflow()
