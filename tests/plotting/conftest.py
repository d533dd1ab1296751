"""Applies the style of figures to all tests."""

import pytest

from alfa_md.plotting import canvas


@pytest.fixture(autouse=True)
def styled():
    with canvas.figure_style():
        yield
