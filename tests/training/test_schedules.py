"""Learning rate schedules against their closed forms, and invalid parameters."""

import math
from functools import partial

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.training.schedules import cosine_decay, flat, step_decay


def rates(schedule, num_updates=8, first=0.1) -> list[float]:
    """The learning rate of every update, and after the last."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=first)
    scheduler, seen = schedule(optimizer, num_updates), []
    for _ in range(num_updates):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*seen, optimizer.param_groups[0]["lr"]]


def test_flat():
    assert rates(flat) == [0.1] * 9


def test_stairs():
    expected = [0.1 * 0.5 ** (update // 3) for update in range(9)]
    assert rates(partial(step_decay, decay_every=3, decay_rate=0.5)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("minimum", [0.0, 0.02])
def test_half_a_cosine_wave_to_the_minimum(minimum):
    expected = [minimum + (0.1 - minimum) * (1 + math.cos(math.pi * update / 8)) / 2 for update in range(9)]
    assert rates(partial(cosine_decay, minimum=minimum)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_cosine_down_to_the_first_rate_is_flat():
    assert rates(partial(cosine_decay, minimum=0.1)) == pytest.approx([0.1] * 9, rel=1e-12)


@pytest.mark.parametrize("schedule", [flat, partial(step_decay, decay_every=2, decay_rate=0.5), cosine_decay])
def test_no_updates_and_a_rate_of_zero(schedule):
    assert rates(schedule, num_updates=0) == [0.1]
    assert rates(schedule, num_updates=2, first=0.0) == [0.0] * 3


@pytest.mark.parametrize("schedule", [flat, partial(step_decay, decay_every=3, decay_rate=0.5), cosine_decay])
def test_a_restored_schedule_goes_on(schedule, tmp_path):
    optimizers = [torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1) for _ in range(2)]
    one, other = (schedule(optimizer, 8) for optimizer in optimizers)
    for _ in range(4):
        optimizers[0].step()
        one.step()
    torch.save([optimizers[0].state_dict(), one.state_dict()], tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    optimizers[1].load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    for _ in range(4):
        for optimizer, scheduler in zip(optimizers, (one, other), strict=True):
            optimizer.step()
            scheduler.step()
        assert one.get_last_lr() == other.get_last_lr()


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (partial(step_decay, decay_every=0, decay_rate=0.5), "step_decay.decay_every = 0 must be at least 1"),
        (partial(step_decay, decay_every=1, decay_rate=-1.0), "step_decay.decay_rate = -1.0 must be at least 0"),
        (partial(cosine_decay, minimum=-0.1), "cosine_decay.minimum = -0.1 must be at least 0"),
        (partial(cosine_decay, minimum=0.2), "cosine_decay.minimum = 0.2 must not be above train.learning_rate = 0.1"),
    ],
)
def test_values_that_are_refused(schedule, message):
    with pytest.raises(UserError, match=message):
        rates(schedule)
