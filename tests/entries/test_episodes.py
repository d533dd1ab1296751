"""`python -m alfa_md.episodes`: dump, replay, show, evaluation of dumped episodes, and bad input."""

import json
import os
import re

import numpy as np
import pytest

from tests.entries.harness import CONFIG, TINY, contents, copied, needs_tensorflow, run_entry
from tests.plotting.images import is_drawn, opened

LINE = re.compile(r"(\d+): ([0-9a-f]{16}), (\d+)-way, (\d+) support and (\d+) query images(?:, accuracy ([\d.]+) %)?")
SMALL = [*CONFIG, *(f"--gin_bindings={line}" for line in TINY)]


def ran(*flags: object, cwd) -> list[str]:
    """The lines printed by a command."""
    outcome = run_entry("episodes", *flags, cwd=cwd)
    assert (outcome.code, outcome.err) == (0, ""), outcome
    return outcome.out.splitlines()


def described(lines: list[str]) -> list[tuple[str, ...]]:
    """Index, fingerprint, way, support, query and accuracy of every listed episode."""
    return [found.groups() for found in map(LINE.fullmatch, lines) if found]


@needs_tensorflow
def test_dumped_episodes_replay_as_they_were_drawn(trained, tmp_path):
    run = ["--run_dir=run", "--source=omniglot"]
    copied(trained, tmp_path / "run")
    before = contents(tmp_path / "run")
    assert ran("dump", *run, "--num_episodes=3", "--out=here", cwd=tmp_path)[-1] == "here/test/omniglot: 3 episodes"
    drawn = ran("replay", *run, "--num_episodes=3", cwd=tmp_path)
    replayed = ran("replay", *run, "--dumped=here", cwd=tmp_path)
    assert [number for number, *_ in described(drawn)] == ["0", "1", "2"]
    assert described(replayed) == described(drawn) and replayed[-1] == drawn[-1]
    assert re.fullmatch(r"omniglot test: [\d.]+±[\d.]+ %", drawn[-1])
    names = json.loads((tmp_path / "here/test/omniglot/fingerprints.json").read_text())["fingerprints"]
    assert names == [name for _, name, *_ in described(drawn)] and len(set(names)) == 3
    assert contents(tmp_path / "run") == before


@needs_tensorflow
def test_evaluation_of_dumped_episodes_has_the_scores_of_the_drawn_ones(evaluated, tmp_path):
    run = copied(evaluated, tmp_path / "run")
    ran("dump", "--run_dir=run", "--source=omniglot", "--num_episodes=2", "--out=here", cwd=tmp_path)
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2", "--name=dumped"]
    bindings = ["include 'gin/parts/dumped.gin'", "dumped.folder = 'here'"]
    outcome = run_entry("evaluate", *flags, *(f"--gin_bindings={line}" for line in bindings), cwd=tmp_path)
    assert outcome.code == 0, outcome
    old, new = (json.loads((run / "results" / f"{name}.json").read_text()) for name in ("test", "test-dumped"))
    assert new["sources"]["omniglot"]["scores"] == old["sources"]["omniglot"]["scores"]
    assert new["sources"]["omniglot"]["data"]["reader"] == "dumped"


@needs_tensorflow
def test_without_a_run_gin_files_say_how_episodes_are_drawn(root, tmp_path):
    flags = [*SMALL, f"--records_root_dir={root}", "--source=omniglot", "--num_episodes=2"]
    lines = ran("replay", *flags, "--gin_bindings=Sampling.num_ways = 3", "--split=valid", cwd=tmp_path)
    assert [(way, accuracy) for _, _, way, _, _, accuracy in described(lines)] == [("3", None)] * 2
    assert lines == [f"Records: {root}", *lines[1:]] and len(lines) == 3


@needs_tensorflow
def test_show_draws_an_episode_from_records_or_files(trained, tmp_path):
    pytest.importorskip("matplotlib")
    copied(trained, tmp_path / "run")
    run = ["--run_dir=run", "--source=omniglot"]
    ran("dump", *run, "--num_episodes=2", "--out=here", cwd=tmp_path)
    drawn = ran("show", *run, "--index=1", cwd=tmp_path)[-1]
    cached = "--gin_bindings=cache = @ImageCache()"
    ran("show", *run, "--index=1", "--out=cached", cached, cwd=tmp_path)
    again = ran("show", *run, "--index=1", "--dumped=here", "--out=again.png", cwd=tmp_path)[-1]
    assert drawn.startswith("omniglot-test-1.png: omniglot test episode 1 of seed 0, ")
    assert drawn.split(": ")[1] == again.split(": ")[1]
    assert is_drawn(tmp_path / "omniglot-test-1.png") and is_drawn(tmp_path / "again.png")
    exact, rounded = (np.asarray(opened(tmp_path / name)).astype(int) for name in ("again.png", "cached.png"))
    assert np.abs(exact - rounded)[200:, 250:].max() <= 1  # beside title and names of classes
    assert sorted(os.listdir(tmp_path)) == ["again.png", "cached.png", "here", "omniglot-test-1.png", "run"]


@needs_tensorflow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "episodes needs one word: python -m alfa_md.episodes dump|replay|show"),
        (["draw"], "episodes needs one word"),
        (["dump", "omniglot"], "episodes needs one word"),
        (["dump", "--run_dir=run"], "dump needs a folder to write to, --out"),
        (["dump", "--run_dir=run", "--dumped=here", "--out=new"], "not found; dumped episodes lie in"),
        (["replay", "--run_dir=nowhere"], "nowhere is not a run directory"),
        (["replay", "--run_dir=run", "--gin_config=gin/maml.gin"], "--run_dir has a configuration of its own"),
        (["replay", "--run_dir=run", "--checkpoint=other.pt"], "checkpoint other.pt does not exist"),
        (["replay", "--run_dir=run", "--dumped=here"], "here/test/ilsvrc_2012: not found; dumped episodes lie in"),
        (["show", "--run_dir=run", "--source=nothing"], "nothing"),
        (["show", "--run_dir=run", "--source=traffic_sign", "--split=valid"], "traffic_sign has no valid classes"),
        (["show", "--run_dir=run", "--out=run/config.gin/fig"], "run/config.gin: File exists; a file is where"),
        (["show", "--gin_config=gin/paper/table8_alfa_maml.gin"], "has no images to show"),
        (["dump", "--gin_config=gin/paper/table8_alfa_maml.gin", "--out=new"], "drawn from records; this is a Sin"),
    ],
)
def test_bad_input(refused, flags, message):
    assert message in refused("episodes", *flags)


@needs_tensorflow
def test_what_is_there_is_not_dumped_over(refused, tmp_path):
    ran("dump", "--run_dir=run", "--num_episodes=1", "--out=here", cwd=tmp_path)
    line = refused("episodes", "dump", "--run_dir=run", "--num_episodes=1", "--out=here")
    assert line == "here/test/ilsvrc_2012: is there already; choose another folder, or remove it"
