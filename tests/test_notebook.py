"""docs/alfa_in_ten_minutes.ipynb runs from a folder of its own, and has outputs of a run, without machine paths."""

import json
import os
import re

import nbclient
import nbformat
import pytest

from tests.shared import ROOT

FILE = ROOT / "docs" / "alfa_in_ten_minutes.ipynb"
CODE = [cell for cell in json.loads(FILE.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_it_is_small_and_has_outputs():
    assert FILE.stat().st_size < 300_000 and all(cell["outputs"] for cell in CODE)
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    text = "".join(line for cell in CODE for output in cell["outputs"] for line in output.get("text", ()))
    assert "dtd" in text and "Traceback" not in text
    assert not re.search(r"(?<![\w.])/\w", text)  # an absolute path


@pytest.mark.slow
def test_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(FILE, as_version=4)
    for cell in notebook.cells:
        cell.pop("outputs", None)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "60 updates done" in printed and "dtd" in printed and "of0_0.png class" in printed
    assert (tmp_path / "ten_minutes" / "figures" / "hyperparameters-generated.png").exists()
