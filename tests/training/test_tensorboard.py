"""TensorBoard output: histograms of rates, the image grid of an episode, and the number of tags."""

import re
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.learners.tracing import Trace, trace
from alfa_md.rules.clipped import Clipped
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.sgd import sgd
from alfa_md.training.tensorboard import add_histogram, log_tensorboard, mean_hyperparameters, peak_memory
from alfa_md.training.tensorboard_writer import TensorBoardWriter
from tests.episodes import busy_learner, random_episode, small_learner, smooth_net
from tests.noise import CPU

EPISODE = random_episode()


def events(folder) -> EventAccumulator:
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return reader


def test_log_tensorboard_writes_a_tag_per_step_and_per_tensor(tmp_path):
    learner = busy_learner()
    with closing(TensorBoardWriter(tmp_path, 0)) as writer:
        log_tensorboard(writer, learner, EPISODE, step=7)
    tags = events(tmp_path).Tags()
    names = trace(learner, EPISODE).names
    expected = {f"{kind}_of_step/{number}" for kind in ("rates", "decays") for number in (1, 2)}
    expected |= {f"{kind}_of_tensor/{name}" for kind in ("rates", "decays") for name in names}
    assert set(tags["histograms"]) == expected and tags["images"] == ["episode/support_and_query"]
    (first,) = events(tmp_path).Histograms("rates_of_step/1")
    rates = trace(learner, EPISODE).values["rates"][0]
    assert first.step == 7 and first.histogram_value.num == len(names)
    assert first.histogram_value.sum == pytest.approx(rates.sum().item())


def test_a_rule_with_a_state_behind_a_wrapper_has_histograms_too(tmp_path):
    rule = partial(Clipped, rule=partial(Momentum, inner_rate=0.1), max_norm=1.0)
    with closing(TensorBoardWriter(tmp_path, 0)) as writer:
        log_tensorboard(writer, small_learner(rule), EPISODE, step=1)
    tags = {tag.split("/")[0] for tag in events(tmp_path).Tags()["histograms"]}
    assert tags == {"rates_of_step", "rates_of_tensor", "momenta_of_step", "momenta_of_tensor"}


def test_log_tensorboard_writes_no_histograms_without_parameters(tmp_path):
    with closing(TensorBoardWriter(tmp_path, 0)) as writer:
        log_tensorboard(writer, small_learner(partial(sgd, inner_rate=0.1)), EPISODE, step=1)
        log_tensorboard(writer, PrototypicalLearner(smooth_net()).double(), EPISODE, step=2)
    assert events(tmp_path).Tags()["histograms"] == []
    assert [image.step for image in events(tmp_path).Images("episode/support_and_query")] == [1, 2]


def test_log_tensorboard_accepts_rates_that_are_not_finite(tmp_path, monkeypatch):
    rates = torch.tensor([[1.0, float("nan")], [float("inf"), float("nan")]])
    seen = Trace(("a", "b"), ((), ()), {"rates": rates, "decays": rates})
    monkeypatch.setattr("alfa_md.training.tensorboard.trace", lambda learner, episode: seen)
    with closing(TensorBoardWriter(tmp_path, 0)) as writer:
        log_tensorboard(writer, small_learner(), EPISODE, step=1)
    rates = {tag for tag in events(tmp_path).Tags()["histograms"] if tag.startswith("rates")}
    assert rates == {"rates_of_step/1", "rates_of_tensor/a"}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1e21, 2e21], [1e19, 1e19]),
        ([-1e30, 1e38], [-1e19, 1e19]),
        ([1e21, 0.5], [1e19, 0.5]),
        ([0.5], [0.5]),
        ([float("nan"), float("inf"), float("-inf")], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_values_of_a_run_that_diverges(tmp_path, capsys, values, shown, dtype):
    with closing(TensorBoardWriter(tmp_path, 0)) as writer:
        add_histogram(writer, "rates", torch.tensor(values, dtype=dtype), 3)
    assert capsys.readouterr().out == ""
    if shown is None:
        assert events(tmp_path).Tags()["histograms"] == []
    else:
        found = events(tmp_path).Histograms("rates")[0].histogram_value
        assert found.num == len(shown) and sum(found.bucket) == len(shown)
        assert (found.min, found.max) == pytest.approx((min(shown), max(shown)), rel=0.01)


def test_peak_memory_is_in_bytes():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells the peak a second time")
    kib = int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    assert peak_memory(CPU) == pytest.approx(1024 * kib, rel=0.02)


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_unit_of_the_system_is_known(monkeypatch, platform, unit):
    monkeypatch.setattr("alfa_md.training.tensorboard.sys.platform", platform)
    monkeypatch.setattr("alfa_md.training.tensorboard.resource.getrusage", lambda who: SimpleNamespace(ru_maxrss=7))
    assert peak_memory(CPU) == 7 * unit


def test_means_of_what_the_rule_learns():
    learner = busy_learner()
    seen = trace(learner, EPISODE).values
    means = mean_hyperparameters(learner, EPISODE)
    assert means == {
        "mean_rates": pytest.approx(seen["rates"].mean().item()),
        "mean_decays": pytest.approx(seen["decays"].mean().item()),
    }
    assert mean_hyperparameters(small_learner(partial(sgd, inner_rate=0.1)), EPISODE) == {}
    assert mean_hyperparameters(PrototypicalLearner(smooth_net()).double(), EPISODE) == {}
    with torch.no_grad():
        learner.rule.hypers.second.lr.values.fill_(torch.inf)
    assert list(mean_hyperparameters(learner, EPISODE)) in (["mean_decays"], [])
