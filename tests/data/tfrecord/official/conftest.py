"""A stand-in for the official package, and records for it to read."""

import sys
from pathlib import Path

import pytest

from alfa_md.data.tfrecord import official_package
from tests.data.records import coloured_image, write_source
from tests.data.tfrecord.official.harness import STAND_IN, forget_package


@pytest.fixture(autouse=True)
def no_package(tmp_path, monkeypatch):
    """No official package is imported or on a search path."""
    monkeypatch.setattr(official_package, "CHECKOUT", tmp_path / "third_party" / "meta-dataset")
    monkeypatch.setattr(sys, "path", [f for f in sys.path if not (Path(f) / official_package.PIPELINE_FILE).is_file()])
    forget_package()
    yield
    forget_package()


@pytest.fixture
def stand_in(monkeypatch):
    """Puts the stand-in on the import path; returns a function that lists the requests to its pipelines."""
    monkeypatch.syspath_prepend(STAND_IN)
    return lambda: official_package.load_package(STAND_IN.resolve()).pipeline.REQUESTS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two sources; the colour of an image encodes its class and record."""
    root = tmp_path_factory.mktemp("records")
    write_source(root, coloured_image, "toy")
    write_source(root, coloured_image, "other")
    return root
