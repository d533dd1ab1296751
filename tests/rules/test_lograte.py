"""LogRate: its state by hand and under scaling, bounds of the rates, and halving beyond the last learned step."""

import math
from functools import partial

import torch

from alfa_md.rules.lograte import HalvedPerChannel, LogRates, lograte, scale_free
from alfa_md.rules.lslr_decay import lslr_decay
from tests.episodes import random_episode, small_learner
from tests.rules.test_contract import fast_weights


def test_state_by_hand():
    theta, g, before = ({"w": torch.tensor(own)} for own in ([1.0, 3.0], [3.0, 4.0], [4.0, -3.0]))
    expected = [math.log(12.5) / 2, 0.0, 3.5 / math.sqrt(12.5), 2 / math.sqrt(5)]
    torch.testing.assert_close(scale_free(theta, g, before), torch.tensor(expected))
    assert scale_free(theta, g, {"w": -2 * g["w"]})[1].item() == -1


def test_scaled_weights_and_gradients_change_the_logarithms_alone():
    theta, g, before = map(fast_weights, range(3))
    own = scale_free(theta, g, before)
    scaled = scale_free(*({name: 100 * value for name, value in tensors.items()} for tensors in (theta, g, before)))
    torch.testing.assert_close(scaled - own, torch.tensor([math.log(100)] * 4 + [0.0] * 12, dtype=torch.float64))


def test_gradients_of_zero_and_a_first_step_give_finite_states():
    zero = {name: torch.zeros_like(value) for name, value in fast_weights().items()}
    assert scale_free(zero, zero, zero).isfinite().all()


def test_factors_stay_within_the_bound_for_any_gradient():
    theta, source = fast_weights(), LogRates(fast_weights(), bound=0.5).double()
    torch.nn.init.normal_(source.network[-1].weight, std=100.0)
    grads = {name: 1e9 * value for name, value in fast_weights(1).items()}
    (lr, decay), state = source(theta, grads, source.init(theta), 0)
    assert all(torch.equal(state[name], grads[name]) for name in grads)
    rates, decays = (torch.cat([value.flatten() for value in own.values()]) for own in (lr, decay))
    assert len(rates) == len(decays) == 4 + 4 + 1 + 1  # one value each for tensors of the head
    assert rates.min() > 0.999 * math.exp(-0.5) - 1e-9 and rates.max() < 1.001 * math.exp(0.5)
    assert decays.min() >= 0.5 and decays.max() <= 1.5 and len(rates.unique()) > 1


def test_at_first_it_is_gradient_descent_with_learned_rates_per_channel():
    episode = random_episode()
    plain = small_learner(partial(lslr_decay, inner_rate=0.1, scale=HalvedPerChannel))
    torch.testing.assert_close(small_learner(partial(lograte, inner_rate=0.1))(episode), plain(episode))


def test_values_are_halved_after_every_step_beyond_the_last():
    params = fast_weights()
    values = HalvedPerChannel(params, 2, 0.5)
    given = [values(params, params, (), step)[0]["a.bias"][0].item() for step in range(5)]
    assert given == [0.5, 0.5, 0.25, 0.125, 0.0625]
