"""A program of a user, which is checked with mypy --strict and run: `typed_program.py RUN`."""

import sys
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alfa_md import Episode, UpdateRule, adapt, alfa, evaluate, open_run

net = nn.Linear(1, 1)
theta: dict[str, Tensor] = dict(net.named_parameters())
rule: UpdateRule = alfa(theta, num_steps=3, inner_rate=0.1)
x = torch.linspace(-1, 1, 10).reshape(10, 1)


def error(params: Mapping[str, Tensor]) -> Tensor:
    return (x @ params["weight"].T + params["bias"] - 2 * x).square().mean()


fast = adapt(theta, error, rule, num_steps=3, first_order=True)
print("adapted" if error(fast) < error(theta) else "not adapted")
run = open_run(sys.argv[1])
episode: Episode = run.episode(0)
scores = run.learner(episode)
print(scores.shape == episode.query_y.shape, episode.name)
for source, found in evaluate(run, num_episodes=4).items():
    print(f"{run.facts['name']} on {source}: {found.mean:.3f}, printed {found}")
