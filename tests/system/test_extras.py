"""Imports of optional libraries."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("matplotlib")

IMPORT = "import logging; logging.basicConfig(level=logging.INFO); from alfa_md.system import extras; extras."


@pytest.mark.parametrize(("level", "logged"), [("DEBUG", True), ("WARNING", False)])
def test_the_list_of_fonts_that_matplotlib_makes_once_is_not_logged(tmp_path, level, logged):
    program = IMPORT + f"logging.WARNING = logging.{level}; extras.require_matplotlib()"
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ("generated new fontManager" in ended.stderr) is logged
