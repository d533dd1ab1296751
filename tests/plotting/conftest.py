"""Figures are drawn in the style of the entry."""

import pytest

from alfa_md.plotting import canvas


@pytest.fixture(autouse=True)
def styled():
    with canvas.figure_style():
        yield
