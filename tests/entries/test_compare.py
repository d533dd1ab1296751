"""`python -m alfa_md.compare`: missing results, and results on different episodes."""

import json

import pytest

from tests.entries.harness import copied, needs_tensorflow, run_entry, with_defaults

pytestmark = needs_tensorflow


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed=1"], "not the same episodes: seed is 0 in A and 1 in B"),
        (["--num_episodes=3"], "omniglot: 2 episodes in A and 3 in B; evaluate equally many"),
        (["--sources=ilsvrc_2012", "--checkpoint=last"], "the two results have no source in common"),
    ],
)
def test_comparison_of_unlike_results(refused, tmp_path, evaluated, flags, message):
    copied(evaluated, tmp_path / "other")
    flags = with_defaults(["--run_dir=other", "--sources=omniglot", "--num_episodes=2"], flags)
    outcome = run_entry("evaluate", *flags, cwd=tmp_path)
    assert outcome.code == 0
    results = "other/results/test-last.json" if "--checkpoint=last" in flags else "other"
    assert message in refused("compare", "run", results)


def test_comparison_on_different_records(refused, tmp_path, evaluated):
    file = copied(evaluated, tmp_path / "other") / "results" / "test.json"
    content = json.loads(file.read_text())
    content["sources"]["omniglot"]["data"]["spec"] = "another"
    file.write_text(json.dumps(content))
    assert "omniglot comes from different data in A and B; evaluate on one root" in refused("compare", "run", "other")


def test_a_run_compared_with_itself(evaluated, tmp_path):
    outcome = run_entry("compare", evaluated, evaluated / "results" / "test.json", cwd=tmp_path)
    assert outcome.code == 0 and "0 wins, 1 ties, 0 losses" in outcome.out
