"""What TensorBoard shows beside curves: traces of the inner loop, the grid of an episode, and how many tags."""

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from alfa_md.inner_loop import unroll
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.metrics_log import SummaryWriter
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.lslr_decay import lslr_decay
from alfa_md.rules.sgd import sgd
from alfa_md.watching import BORDER, GREY, THUMBNAIL, Trace, episode_grid, peak_memory, trace, watch
from tests.episodes import random_episode, small_learner, smooth_net
from tests.noise import CPU

EPISODE = random_episode()


class Halve(UpdateRule):
    """A rule without rates."""

    def forward(self, params, grads, step):
        return {name: tensor / 2 for name, tensor in params.items()}


def busy_learner():
    """ALFA whose generator no longer emits ones, and whose backbone draws random numbers in training."""
    learner = small_learner(backbone=nn.Sequential(smooth_net(), nn.Dropout(0.5)))
    nn.init.normal_(learner.rule.hypers.first.network[-1].weight)
    return learner


def events(folder) -> EventAccumulator:
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return reader


def test_a_trace_holds_what_every_inner_step_multiplied_with():
    learner = busy_learner().eval()
    with torch.no_grad():
        steps = list(unroll(learner.initial(EPISODE), learner.support_loss(EPISODE), learner.rule, 2, True))
        hypers = [learner.rule.hypers(step.before, step.grads, number) for number, step in enumerate(steps)]
    seen = trace(learner, EPISODE)
    assert seen.names == tuple(steps[0].before) and seen.names[-2:] == ("head.weight", "head.bias")
    assert seen.rates.shape == seen.decays.shape == (2, len(seen.names))
    for number, (lr, decay) in enumerate(hypers):
        assert torch.allclose(seen.rates[number], torch.stack(list(lr.values())))
        assert torch.allclose(seen.decays[number], torch.stack(list(decay.values())))
    assert seen.rates.std() > 0


def test_rates_of_rules_that_generate_nothing():
    seen = trace(small_learner(partial(sgd, inner_rate=0.25)), EPISODE)
    assert (seen.rates == 0.25).all() and (seen.decays == 0).all()
    seen = trace(small_learner(partial(lslr_decay, inner_rate=0.5, inner_decay=0.125), num_steps=3), EPISODE)
    assert seen.rates.shape[0] == 3 and (seen.rates == 0.5).all() and (seen.decays == 0.125).all()


def test_a_learner_without_inner_loop_or_rates_has_no_trace():
    assert trace(PrototypicalLearner(smooth_net()).double(), EPISODE) is None
    assert trace(small_learner(lambda template, num_steps: Halve()), EPISODE) is None


def test_no_inner_step_is_an_empty_trace():
    assert trace(small_learner(partial(sgd, inner_rate=0.1), num_steps=0), EPISODE).rates.shape == (0, 8)


def test_a_trace_changes_nothing():
    learner = busy_learner()
    learner.backbone[1].eval()  # a module may be in a mode of its own
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    state = torch.get_rng_state()
    seen = trace(learner, EPISODE)
    assert torch.equal(torch.get_rng_state(), state)
    assert learner.training and learner.backbone[0].training and not learner.backbone[1].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.state_dict().items())
    assert all(parameter.grad is None for parameter in learner.parameters())
    assert not learner.rule.hypers._forward_hooks
    assert not (seen.rates.requires_grad or seen.decays.requires_grad)


def test_the_hook_goes_also_when_the_inner_loop_fails():
    learner = small_learner()
    with pytest.raises(RuntimeError):
        trace(learner, EPISODE._replace(support_x=EPISODE.support_x[:, :1]))
    assert not learner.rule.hypers._forward_hooks and learner.training


def plain_episode(size: int, channels: int = 3):
    """Class k has k + 1 support images of value -1, 0, 1 and two query images of value 0.5."""
    episode = random_episode(shots=(1, 2, 3), size=size)
    values = (episode.support_y - 1).double()[:, None, None, None]
    support = values.expand(-1, channels, size, size)
    return episode._replace(support_x=support, query_x=torch.full((6, channels, size, size), 0.5))


def test_the_grid_has_classes_down_support_left_and_query_right():
    size, places = 10, 4
    grid = episode_grid(plain_episode(size), max_images=places)
    cell, gap = size + 2 * BORDER, (size + 2 * BORDER) // 2
    assert grid.shape == (3, 3 * cell, 2 * places * cell + gap)
    middle = grid[0, cell // 2 :: cell, cell // 2 : places * cell : cell]  # the centre of every place for support
    assert middle.tolist() == [[0.0, GREY, GREY, GREY], [0.5, 0.5, GREY, GREY], [1.0, 1.0, 1.0, GREY]]
    middle = grid[0, cell // 2 :: cell, places * cell + gap + cell // 2 :: cell]
    assert middle.tolist() == [[0.75, 0.75, GREY, GREY]] * 3
    assert (grid[:, :, places * cell : places * cell + gap] == GREY).all()


def test_the_grid_is_bounded():
    episode = random_episode(size=200)
    grid = episode_grid(episode, max_classes=2, max_images=1)
    cell = THUMBNAIL + 2 * BORDER
    assert grid.shape == (3, 2 * cell, 2 * cell + cell // 2)
    assert grid.min() >= 0 and grid.max() <= 1


def test_images_of_one_channel_are_shown_grey():
    assert torch.equal(episode_grid(plain_episode(6, channels=1)), episode_grid(plain_episode(6)))


def test_watch_writes_a_tag_a_step_and_a_tag_a_tensor(tmp_path):
    learner = busy_learner()
    with SummaryWriter(str(tmp_path)) as writer:
        watch(writer, learner, EPISODE, step=7)
    tags = events(tmp_path).Tags()
    names = trace(learner, EPISODE).names
    expected = {f"{kind}_of_step/{number}" for kind in ("rates", "decays") for number in (1, 2)}
    expected |= {f"{kind}_of_tensor/{name}" for kind in ("rates", "decays") for name in names}
    assert set(tags["histograms"]) == expected and tags["images"] == ["episode/support_and_query"]
    (first,) = events(tmp_path).Histograms("rates_of_step/1")
    rates = trace(learner, EPISODE).rates[0]
    assert first.step == 7 and first.histogram_value.num == len(names)
    assert first.histogram_value.sum == pytest.approx(rates.sum().item())


def test_watch_writes_no_histograms_where_nothing_is_learned(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        watch(writer, small_learner(partial(sgd, inner_rate=0.1)), EPISODE, step=1)
        watch(writer, PrototypicalLearner(smooth_net()).double(), EPISODE, step=2)
    assert events(tmp_path).Tags()["histograms"] == []
    assert [image.step for image in events(tmp_path).Images("episode/support_and_query")] == [1, 2]


def test_watch_survives_rates_that_are_not_finite(tmp_path, monkeypatch):
    rates = torch.tensor([[1.0, float("nan")], [float("inf"), float("nan")]])
    monkeypatch.setattr("alfa_md.watching.trace", lambda learner, episode: Trace(("a", "b"), rates, rates))
    with SummaryWriter(str(tmp_path)) as writer:
        watch(writer, small_learner(), EPISODE, step=1)
    rates = {tag for tag in events(tmp_path).Tags()["histograms"] if tag.startswith("rates")}
    assert rates == {"rates_of_step/1", "rates_of_tensor/a"}


def test_peak_memory_is_in_bytes():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells the peak a second time")
    kib = int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    assert peak_memory(CPU) == pytest.approx(1024 * kib, rel=0.02)


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_unit_of_the_system_is_known(monkeypatch, platform, unit):
    monkeypatch.setattr("alfa_md.watching.sys.platform", platform)
    monkeypatch.setattr("alfa_md.watching.resource.getrusage", lambda who: SimpleNamespace(ru_maxrss=7))
    assert peak_memory(CPU) == 7 * unit
