"""Paths of real images and published class lists for tests, which are not part of the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_data(name: str) -> Path:
    """The path of a shared data file; skips the calling test if it is absent."""
    folder = Path(os.environ.get("ALFA_MD_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"shared data file {name} is not at {folder}")
    return folder / name
