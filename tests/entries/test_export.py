"""`python -m alfa_md.export`: the folder gives the results of the run that it was made from, and tells no paths."""

import getpass
import json
import re
import shlex
import socket
from pathlib import Path

import gin
import pytest
import torch

import alfa_md
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.pretraining import load_pretrained, resolve_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from tests.entries.harness import bindings, contents, copied, environment, needs_tensorflow, run_entry

pytestmark = needs_tensorflow
FILES = {"README.md", "config.gin", "run.json", "model.safetensors"} | {
    f"measured/test{baseline}.json" for baseline in ("", "-untrained", "-pixel")
}
BASELINES = "--baselines=untrained,pixel"


@pytest.fixture(scope="module")
def folder(cache, trained, tmp_path_factory) -> Path:
    """A folder with a run, `run`, evaluated on one source with two episodes and one with three, and its export."""
    folder = tmp_path_factory.mktemp("exporting")
    copied(trained, folder / "run")
    with environment(cache):
        for source, number in {"omniglot": 2, "traffic_sign": 3}.items():
            flags = ["--run_dir=run", f"--sources={source}", f"--num_episodes={number}", BASELINES, "--device=cpu"]
            assert run_entry("evaluate", *flags, cwd=folder).code == 0
        flags = [f"--run_dir={folder / 'run'}", "--to=published/tiny", "--licence=CC-BY-4.0"]
        outcome = run_entry("export", *flags, cwd=folder)
    assert outcome.code == 0 and "published/tiny: proto_maml_alfa+quickstart after 2 updates, hash" in outcome.out
    return folder


@pytest.fixture
def published(folder, tmp_path) -> Path:
    """A copy of the export, alone in a folder."""
    return copied(folder / "published" / "tiny", tmp_path / "tiny")


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def results(folder: Path, stem: str) -> dict:
    return json.loads((folder / f"{stem}.json").read_text())["sources"]


def test_the_commands_of_the_card_give_its_table_bit_for_bit(folder, published, root):
    assert contents(published).keys() == FILES
    card = (published / "README.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^    python -m alfa_md.evaluate (.*)$", card, re.MULTILINE)]
    assert len(commands) == 2  # one for each number of episodes
    for words in commands:
        words = [word.replace("=RECORDS", f"={root}") for word in words]
        assert run_entry("evaluate", *words, cwd=published.parent).code == 0
    for stem in ("test", "test-untrained", "test-pixel"):
        measured = results(published / "measured", stem)
        assert results(published / "results", stem) == measured == results(folder / "run" / "results", stem)
    cells = [line.split(" | ") for line in (published / "results" / "test.md").read_text().splitlines()]
    assert cells[2][0] == "| proto_maml_alfa+quickstart"
    assert re.search(rf"\| traffic_sign \| {re.escape(cells[2][-2])} \| .* \| 3 \|", card)


def test_the_card_tells_of_data_seeds_versions_and_licence(published):
    card = (published / "README.md").read_text()
    assert card.startswith('---\nlicense: "cc-by-4.0"\n') and "The weights: CC-BY-4.0." in card
    assert re.search(r"\| data \| records, folder records\d+; ilsvrc_2012 train \(digest \w{16}\); ", card)
    assert "| seed | 0 |" in card and f"torch {torch.__version__}" in card
    assert re.search(r"^    python -m alfa_md.train --gin_config=gin/proto_maml_alfa.gin .*--run_dir=run$", card, re.M)


def test_nothing_tells_where_it_was_made(folder, root, published):
    places = {str(folder), str(root), str(Path.home()), str(Path(alfa_md.__file__).parent)} - {"/"}
    names = {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 5}
    for file, data in contents(published).items():
        assert not [place for place in places | names if place.encode() in data], file


def test_it_opens_as_the_run_does(folder, published, root, tmp_path):
    run, opened = (alfa_md.open_run(path, records_root_dir=root) for path in (folder / "run", published))
    assert opened.updates == run.updates == 2
    for (name, own), (other, value) in zip(
        opened.learner.named_parameters(), run.learner.named_parameters(), strict=True
    ):
        assert name == other and torch.equal(own, value)
    start = resolve_checkpoint(str(published), RunDirectory(tmp_path / "new"), None)
    fresh = alfa_md.open_run(published, None, root).learner
    stamp = load_pretrained(fresh, start, 1.0).stamp
    assert re.fullmatch(rf"{published}/model.safetensors, update 2, hash \w{{16}}", stamp)
    saved = load_checkpoint(folder / "run" / "checkpoints" / "best.pt")["learner"]
    assert all(torch.equal(value, saved[f"backbone.{name}"]) for name, value in fresh.backbone.state_dict().items())


def test_its_episodes_are_scored(published, root):
    flags = ["--run_dir=tiny", f"--records_root_dir={root}", "--source=omniglot", "--num_episodes=1", "--device=cpu"]
    score = results(published / "measured", "test")["omniglot"]["scores"][0]
    assert f"accuracy {100 * score:.2f} %" in run_entry("episodes", "replay", *flags, cwd=published.parent).out


@pytest.mark.slow
def test_figures_of_it(published, root):
    pytest.importorskip("matplotlib")
    flags = ["hyperparameters", "--run_dir=tiny", f"--records_root_dir={root}", "--num_episodes=2"]
    assert run_entry("plot", *flags, cwd=published.parent).code == 0
    assert (published / "figures" / "hyperparameters.png").exists()


def test_it_has_one_checkpoint_and_cannot_be_trained_on(published, root):
    for checkpoint in ("last", "ensemble"):
        flags = ["--run_dir=tiny", f"--checkpoint={checkpoint}", f"--records_root_dir={root}"]
        error = run_entry("evaluate", *flags, cwd=published.parent).error
        assert error == f"tiny is an exported run, with one checkpoint; leave --checkpoint={checkpoint} out"
    flags = [*bindings(), f"--records_root_dir={root}", "--run_dir=tiny"]
    assert run_entry("train", *flags, cwd=published.parent).error.startswith(
        "tiny is an exported run, from which training cannot go on; choose another --run_dir"
    )
    assert contents(published).keys() - {".lock"} == FILES


def test_another_checkpoint_has_results_of_its_own(folder, root, tmp_path):
    copied(folder / "run", tmp_path / "run")
    export = ["--run_dir=run", "--to=last", "--checkpoint=last"]
    assert "run has no test-last.json" in run_entry("export", *export, cwd=tmp_path).error
    flags = ["--run_dir=run", "--checkpoint=last", "--sources=omniglot", "--num_episodes=2", "--device=cpu"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    assert run_entry("export", *export, cwd=tmp_path).code == 0
    assert contents(tmp_path / "last").keys() == {file for file in FILES if "-" not in file}
    assert results(tmp_path / "last" / "measured", "test") == results(tmp_path / "run" / "results", "test-last")
