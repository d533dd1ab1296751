"""The code of docs/own_tasks.md: as short as it says, and it learns."""

import re

import numpy as np

from tests.shared import ROOT

(CODE,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "own_tasks.md").read_text("utf-8"), re.DOTALL)
BEGINNING = CODE[: CODE.index("for update in")]


def test_from_arrays_to_a_learner_in_25_lines():
    code = [line for line in CODE.splitlines() if line and not line.startswith(("import", "from"))]
    assert len(code) <= 25


def test_it_learns_to_adapt_to_new_tasks(capsys):
    untrained, trained = {}, {}
    exec(BEGINNING, untrained)
    before = np.mean([untrained["query_loss"](task).item() for task in range(150, 200)])
    exec(CODE, trained)
    after = float(capsys.readouterr().out.split()[-1])
    assert after < 0.2 * before
