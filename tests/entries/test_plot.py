"""`python -m alfa_md.plot` on real run directories, and bad input."""

import pytest

from tests.entries.harness import contents, copied, needs_tensorflow, run_entry
from tests.plotting.images import is_drawn, opened, texts

SINE = (
    "--gin_config=gin/paper/table8_alfa_maml.gin",
    "--run_dir=sine",
    *(f"--gin_bindings={line}" for line in ("train.num_updates = 2", "train.num_validation_episodes = 2")),
)


def plotted(name: str, *flags: str, cwd) -> list[str]:
    """The files written by a command; asserts that they can be opened and no other file has changed."""
    before = contents(cwd)
    outcome = run_entry("plot", name, *flags, cwd=cwd)
    assert (outcome.code, outcome.err) == (0, ""), outcome
    title, _, rest = outcome.out.splitlines()[-1].partition(": ")
    written = rest.split(", ")
    assert title == name and contents(cwd).keys() == before.keys() | set(written)
    assert {file: contents(cwd)[file] for file in before} == before
    for file in written:
        if not file.endswith(".csv"):
            opened(cwd / file)
    return written


@needs_tensorflow
def test_hyperparameters_of_alfa(trained, tmp_path):
    copied(trained, tmp_path / "run")
    written = plotted("hyperparameters", "--run_dir=run", "--source=omniglot", "--num_episodes=2", cwd=tmp_path)
    assert written[0] == "run/figures/hyperparameters.png" and written[-1] == "run/figures/hyperparameters.csv"
    assert len(written) == 7 and is_drawn(tmp_path / written[0])
    rows = (tmp_path / written[-1]).read_text().splitlines()
    assert rows[0] == "episode,step,tensor,quantity,value" and len(rows) == 1 + 2 * 1 * 14 * 6
    assert any("2 test episodes of omniglot" in text for text in texts(tmp_path / written[1]))


@needs_tensorflow
def test_an_episode(trained, tmp_path):
    copied(trained, tmp_path / "run")
    flags = ["--run_dir=run", "--split=valid", "--index=3", "--out=here.png", "--checkpoint=last"]
    written = plotted("episode", *flags, cwd=tmp_path)
    assert written == ["here.png", "here.svg"] and is_drawn(tmp_path / "here.png")
    assert any("ilsvrc_2012 valid episode 3 of seed 0" in text for text in texts(tmp_path / "here.svg"))


def test_a_regression_its_hyperparameters_and_curves(tmp_path):
    assert run_entry("train", *SINE, cwd=tmp_path).code == 0
    written = plotted("regression", "--run_dir=sine", "--index=1", cwd=tmp_path)
    assert written == ["sine/figures/regression.png", "sine/figures/regression.svg"]
    assert any(text.startswith("after step 5, ") for text in texts(tmp_path / written[1]))
    assert len(plotted("hyperparameters", "--run_dir=sine", "--num_episodes=2", "--step=0", cwd=tmp_path)) == 7
    copied(tmp_path / "sine", tmp_path / "other")
    png, svg = plotted("curves", "sine", "other", "--out=both", cwd=tmp_path)
    assert is_drawn(tmp_path / png) and {"sine", "other"} <= set(texts(tmp_path / svg))


@needs_tensorflow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "plot needs the name of a figure: python -m alfa_md.plot hyperparameters|curves|episode|regression"),
        (["episodes", "--run_dir=run"], "plot needs the name of a figure"),
        (["episode"], "plot episode takes one run, as --run_dir=RUN"),
        (["curves", "run", "nowhere"], "nowhere is not a run directory"),
        (["episode", "--run_dir=nowhere"], "nowhere is not a run directory"),
        (["episode", "--run_dir=run", "--checkpoint=other.pt"], "checkpoint other.pt does not exist"),
        (["episode", "--run_dir=run", "--source=nothing"], "nothing"),
        (["episode", "--run_dir=run", "--source=traffic_sign", "--split=valid"], "traffic_sign"),
        (["episode", "--run_dir=run", "--index=-1"], "--index"),
        (["curves", "run", "--out=run/config.gin/fig"], "run/config.gin: File exists; a file is where"),
        (["regression", "--run_dir=run"], "ilsvrc_2012 has no curves to draw; see `alfa_md.plot episode`"),
    ],
)
def test_bad_input(refused, flags, message):
    assert message in refused("plot", *flags)
