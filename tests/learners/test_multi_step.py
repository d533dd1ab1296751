"""The multi-step loss: values by hand, annealing, and outer updates."""

from functools import partial

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.multi_step import MultiStepLearner
from alfa_md.rules.sgd import sgd
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner, smooth_net
from tests.noise import fresh_state


def learner_of(num_steps=3, anneal_updates=10, **options):
    plain = small_learner(partial(sgd, inner_rate=0.1), num_steps=num_steps)
    torch.manual_seed(0)
    made = MultiStepLearner(
        anneal_updates=anneal_updates,
        **{"backbone": smooth_net(), "head": plain.head, "rule": partial(sgd, inner_rate=0.1), "num_steps": num_steps},
        **options,
    )
    return made.double()


def losses_by_steps(learner, episode):
    """Yields the query losses of plain learners with 1, 2, ... inner steps from the same weights."""
    for number in range(1, learner.num_steps + 1):
        plain = small_learner(partial(sgd, inner_rate=0.1), num_steps=number)
        plain.backbone.load_state_dict(learner.backbone.state_dict())
        yield plain.loss(episode).loss.item()


@pytest.mark.parametrize("updates, expected", [(0, [1 / 3] * 3), (5, [1 / 6, 1 / 6, 2 / 3]), (99, [0.01, 0.01, 0.98])])
def test_the_loss_by_hand(updates, expected):
    learner, episode = learner_of(), random_episode()
    learner.updates.number.fill_(updates)
    assert learner.importance().tolist() == pytest.approx(expected)
    by_hand = sum(v * loss for v, loss in zip(expected, losses_by_steps(learner, episode), strict=True))
    outcome = learner.loss(episode)
    assert outcome.loss.item() == pytest.approx(by_hand, rel=1e-12)
    torch.testing.assert_close(outcome.scores, learner(episode), rtol=1e-12, atol=1e-12)


def test_updates_are_counted_for_any_number_of_episodes():
    learner = learner_of()
    state = fresh_state(learner)
    for number in range(3):
        outer_step(state, [random_episode(seed=seed) for seed in range(number + 1)], clip_norm=10.0)
    assert learner.updates.number == 3 and learner.state_dict()["updates.number"] == 3
    learner.eval()
    learner(random_episode())
    assert learner.updates.number == 3


def test_one_step_is_the_plain_loss():
    learner, episode = learner_of(num_steps=1), random_episode()
    assert learner.loss(episode).loss.item() == pytest.approx(next(losses_by_steps(learner, episode)), rel=1e-12)


def test_batching_and_zero_steps_are_refused():
    with pytest.raises(UserError, match="MultiStepLearner.loss is for one episode at a time; bind .*batching = None"):
        learner_of(batching=vmapped)
    with pytest.raises(UserError, match="MultiStepLearner.num_steps"):
        learner_of(num_steps=0)
