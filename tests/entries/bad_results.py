"""Results files with the right outer form and a wrong part, read by every command that reads them."""

import json
from pathlib import Path

from tests.entries import damage as d
from tests.entries.bad_input import BadInput, evaluate


def copied_with(**parts: object) -> d.Damage:
    """Copies the results file to `other.json`, and replaces parts of the record of omniglot in the copy."""

    def damage(folder: Path) -> None:
        content = json.loads((folder / d.RESULTS).read_text())
        content["sources"]["omniglot"] |= parts
        (folder / "other.json").write_text(json.dumps(content))

    return damage


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Parts of results files": (
        evaluate(
            "results with lists for scores",
            r"^run/results/test.json is not a results file .*\(omniglot: its scores are not numbers of this unit\); re",
            damage=d.changed_record(scores=[[0.5], [0.5]]),
        ),
        BadInput(
            "results of two numbers of episodes",
            "compare",
            ("run", "run"),
            r"^run/results/test.json is not a results file .*\(omniglot: it has 2 scores of 3 episodes\); restore it",
            d.changed_record(episodes=3),
        ),
        BadInput(
            "results with a word for a number",
            "report",
            ("run",),
            r"run/results/test.json is not a results file .*\(omniglot: its mean is no number\); restore it",
            d.changed_record(mean="0.5"),
        ),
        BadInput(
            "results with NaN",
            "plot",
            ("curves", "run"),
            r"run/results/test.json is not a results file of this package \(NaN is no JSON\); restore it",
            d.changed_record(ci95=float("nan")),
        ),
        BadInput(
            "results of other episodes",
            "compare",
            ("run", "other.json"),
            "^not the same episodes: omniglot has the fingerprint [0-9a-f]{16} in A and 0{16} in B; evaluate both with",
            copied_with(fingerprint="0" * 16),
        ),
    ),
}
