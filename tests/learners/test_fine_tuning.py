"""Full fine-tuning: the same weights as a plain loop of an optimiser of PyTorch, whatever the run has bound."""

from functools import partial

import gin
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, PrototypeHead
from alfa_md.learners.adapts import head_only
from alfa_md.learners.fine_tuning import FineTuningLearner
from alfa_md.rules.clipped import Clipped
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, smooth_net


class PlainAdam(torch.optim.Optimizer):
    """Adam with eps inside the root, which PyTorch's has outside."""

    def step(self):
        for parameter in self.param_groups[0]["params"]:
            g, state = parameter.grad, self.state[parameter]
            t = state["t"] = state.get("t", 0) + 1
            m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
            v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * g * g
            change = m / (1 - 0.9**t) / (v / (1 - 0.999**t) + 1e-8).sqrt()
            parameter.data -= self.defaults["lr"] * change


OPTIMIZERS = {
    "adam": (FineTuningLearner, partial(PlainAdam, defaults={"lr": 0.01})),
    "momentum": (partial(FineTuningLearner, rule=Momentum), partial(torch.optim.SGD, lr=0.01, momentum=0.9)),
    "sgd": (partial(FineTuningLearner, rule=sgd), partial(torch.optim.SGD, lr=0.01)),
}


def backbone() -> nn.Module:
    torch.manual_seed(0)
    return smooth_net().double()


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_equals_a_plain_loop(name):
    make, optimizer = OPTIMIZERS[name]
    episode, net, head = random_episode(), backbone(), nn.Linear(16, 3).double()
    fast = make(backbone(), rate=0.01, num_steps=6).double().adapted(episode)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    steps = optimizer([*net.parameters(), *head.parameters()])
    for _ in range(6):
        steps.zero_grad()
        F.cross_entropy(head(net(episode.support_x)), episode.support_y).backward()
        steps.step()
    theirs = {f"backbone.{n}": p for n, p in net.named_parameters()} | {"head.weight": head.weight}
    for weight, value in theirs.items():
        torch.testing.assert_close(fast[weight], value, rtol=1e-5, atol=1e-7)


def test_bindings_of_the_run_s_own_inner_loop_are_not_used():
    free = FineTuningLearner(backbone(), rate=0.01, num_steps=3).double()(random_episode())
    gin.parse_config(
        "import alfa_md.learners.batching.vmapped\nimport alfa_md.rules.alfa\nimport alfa_md.rules.attenuate\n"
        "GradientLearner.rule = @alfa\nGradientLearner.num_steps = 9\nGradientLearner.adapts = @head_only\n"
        "GradientLearner.additional_evaluation_steps = 4\nGradientLearner.first_order = False\n"
        "GradientLearner.prepare = @Attenuate\nGradientLearner.initialization = @frozen\n"
        "GradientLearner.batching = @vmapped\nGradientLearner.head = @PrototypeHead()\nsgd.inner_rate = 5.0\n"
    )
    bound = FineTuningLearner(backbone(), rate=0.01, num_steps=3).double().eval()
    assert torch.equal(bound(random_episode()), free) and not bound.vectorized


def test_a_part_may_be_tuned_from_another_head():
    learner = FineTuningLearner(backbone(), head=PrototypeHead, adapts=head_only, num_steps=2).double()
    episode = random_episode()
    assert not learner.adapted_backbone()
    assert not torch.equal(learner.adapted(episode)["head.weight"], learner.initial(episode)["head.weight"])


def test_nothing_but_the_backbone_is_trained():
    learner = FineTuningLearner(backbone(), num_steps=2)
    trained = {name for name, parameter in learner.named_parameters() if parameter.requires_grad}
    assert trained == {f"backbone.{name}" for name, _ in learner.backbone.named_parameters()}


def test_a_learned_head_is_refused():
    with pytest.raises(UserError, match="FineTuningLearner.head = @.* is learned over many episodes.*bind @ZeroHead"):
        FineTuningLearner(backbone(), head=partial(LearnedHead, 16, 3))


def test_a_rule_without_a_rate_of_its_own_is_refused():
    with pytest.raises(UserError, match="FineTuningLearner.rule = @Clipped has no inner_rate, .*; bind @adam"):
        FineTuningLearner(backbone(), rule=Clipped)


def test_the_stamp():
    stamp = FineTuningLearner(backbone(), rate=0.5, num_steps=7, rule=sgd).stamp()
    assert (stamp["rate"], stamp["inner_steps"], stamp["rule"], stamp["order"]) == (0.5, 7, "sgd", "first")
