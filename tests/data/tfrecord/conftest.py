"""What the tests of the TFRecord reader share."""

import pytest

from alfa_md.data.tfrecord import runtime


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache directory of the test's own, beside its data."""
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tf():
    """TensorFlow as the package starts it; skips the test where it is not installed."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return runtime.tensorflow()
