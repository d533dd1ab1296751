"""Loss curves of 200 updates on the fast and the plain path: they differ by less than those of two seeds."""

from contextlib import nullcontext
from functools import partial
from statistics import mean, stdev

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.heads import LearnedHead
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import batch_statistics
from alfa_md.rules.alfa import alfa
from tests.episodes import random_episode
from tests.plain import plain_path

SEEDS, UPDATES, WINDOW = range(4), 200, 50


def curve(seed: int, within) -> list[float]:
    """The training losses of second-order ALFA + MAML on noisy patterns, in the context `within()`."""
    torch.manual_seed(seed)
    with within():
        parts = (Conv4(num_filters=16), LearnedHead(16, 5), partial(alfa, inner_rate=0.1), 2)
        learner = GradientLearner(*parts, first_order=False, adapts=all_but_batch_norm, normalization=batch_statistics)
        optimizer, losses = torch.optim.Adam(learner.parameters(), lr=1e-2), []
        for number in range(UPDATES):
            shape = {"way": 5, "shots": (1,) * 5, "size": 20, "seed": UPDATES * seed + number}
            episode = random_episode(**shape, dtype=torch.float32)
            optimizer.zero_grad()
            loss = learner.objective.loss(learner(episode), episode.query_y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


@pytest.mark.slow
def test_curves_agree_within_the_spread_over_seeds():
    fast, plain = ([curve(seed, within) for seed in SEEDS] for within in (nullcontext, plain_path))
    assert fast != plain
    for one, other in zip(fast, plain, strict=True):
        assert one[:3] == pytest.approx(other[:3], rel=1e-3)
    for start in range(0, UPDATES, WINDOW):
        a, b = ([mean(losses[start : start + WINDOW]) for losses in runs] for runs in (fast, plain))
        assert abs(mean(a) - mean(b)) < stdev(b)
    assert mean(a) < 0.8 * mean(losses[0] for losses in fast)  # they have learned
