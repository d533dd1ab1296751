"""Selection of adapted tensors: updated tensors, equal meta-gradients on all paths, features computed once."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.backbones.vit_tiny import VitTiny
from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead
from alfa_md.inner_loop.recomputation import recompute_all, recompute_alternate
from alfa_md.learners.adapts import all_but_batch_norm, body_only, everything, head_only, matching, norms_only
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.normalization import batch_statistics, embed_episode, support_moments
from alfa_md.params import select_parameters
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, random_episode, small_learner

HEAD = {"head.weight", "head.bias"}
NORMS = {"backbone.1.weight", "backbone.1.bias", "backbone.4.weight", "backbone.4.bias"}
CONVOLUTIONS = {"backbone.0.weight", "backbone.3.weight"}
ADAPTED = {
    everything: CONVOLUTIONS | NORMS | HEAD,
    all_but_batch_norm: CONVOLUTIONS | HEAD,
    head_only: HEAD,
    body_only: CONVOLUTIONS | NORMS,
    norms_only: NORMS | HEAD,
    matching(r"\.3\.|bias"): {"backbone.3.weight", "backbone.1.bias", "backbone.4.bias", "head.bias"},
}
every_choice = pytest.mark.parametrize("adapts", ADAPTED, ids=lambda adapts: adapts.__name__)
HEADS = {"prototypes": PrototypeHead, "learned": partial(LearnedHead, 16, 4)}
every_head = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)


def learner_of(adapts, head=PrototypeHead, **options):
    torch.manual_seed(0)
    return small_learner(adapts=adapts, head=head(), num_steps=3, **options)


@every_choice
@every_head
def test_only_selected_tensors_change(adapts, head):
    learner = learner_of(adapts, head)
    episode = random_episode()
    before, after = learner.initial(episode), learner.adapted(episode)
    moved = {name for name in after if name in before and not torch.equal(after[name], before[name])}
    assert moved == ADAPTED[adapts] == set(learner.template())


@every_choice
@every_head
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("recompute", [recompute_all, recompute_alternate])
def test_recomputed_steps(adapts, head, first_order, recompute):
    make = partial(learner_of, adapts, head, first_order=first_order)
    plain, other = make(), make(recompute=recompute)
    assert_equal_gradients(meta_gradients(plain, random_episode()), meta_gradients(other, random_episode()))


@every_choice
@every_head
@pytest.mark.parametrize("recompute", [None, recompute_all])
def test_stacked_tasks(adapts, head, recompute):
    options = {"first_order": False} | ({"recompute": recompute} if recompute else {})
    episodes, results = [random_episode(seed=seed) for seed in range(2)], []
    for batching in (None, vmapped):
        learner = learner_of(adapts, head, batching=batching, **options)
        outcomes = learner.losses(episodes)
        sum(outcome.loss for outcome in outcomes).backward()
        results.append({name: p.grad for name, p in learner.named_parameters() if p.grad is not None})
        results[-1]["scores"] = torch.stack([outcome.scores for outcome in outcomes]).detach()
    assert_equal_gradients(*results)


def assert_equal_gradients(expected, found):
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-10, atol=1e-12, msg=name)


@pytest.mark.parametrize("first_order", [True, False])
def test_anil_by_hand(first_order):
    """ANIL written out: features computed once, then gradient descent on the head."""
    episode, rate = random_episode(), 0.1
    learner = learner_of(head_only, HEADS["learned"], rule=partial(sgd, inner_rate=rate), first_order=first_order)
    support, query = embed_episode(learner.backbone, episode.support_x, episode.query_x)
    w, b = learner.head.weight[: episode.way], learner.head.bias[: episode.way]
    for _ in range(3):
        features = support.detach() if first_order else support
        loss = F.cross_entropy(F.linear(features, w, b), episode.support_y)
        gw, gb = torch.autograd.grad(loss, (w, b), create_graph=not first_order, retain_graph=True)
        w, b = w - rate * gw, b - rate * gb
    F.cross_entropy(F.linear(query, w, b), episode.query_y).backward()
    expected = {name: parameter.grad.clone() for name, parameter in learner.named_parameters()}
    assert_equal_gradients(expected, meta_gradients(learner, episode))


def test_boil_does_not_adapt_the_head_and_anil_not_the_backbone():
    episode = random_episode()
    boil, anil = (learner_of(adapts, HEADS["learned"]) for adapts in (body_only, head_only))
    weights = boil.adapted(episode)
    assert torch.equal(weights["head.weight"], boil.head.weight[: episode.way])
    assert not any(name.startswith("backbone.") for name in anil.adapted(episode))


@pytest.mark.parametrize("normalization, images", [(support_moments, [6, 6]), (batch_statistics, [6, 6])])
@pytest.mark.parametrize("prepare", [None, Attenuate])
def test_features_of_a_backbone_that_is_not_adapted_are_computed_once(normalization, images, prepare):
    learner = learner_of(head_only, normalization=normalization, prepare=prepare)
    seen = []
    learner.backbone.register_forward_hook(lambda module, args, out: seen.append(len(args[0])))
    learner(random_episode())
    assert seen == images  # six support and six query images


def test_the_stamp_has_the_adapted_tensors():
    stamps = {adapts: learner_of(adapts).stamp() for adapts in ADAPTED}
    assert stamps[everything]["batch_norm"] == stamps[body_only]["batch_norm"] == "support moments, adapted"
    assert stamps[head_only]["batch_norm"] == "support moments, frozen in the inner loop"
    assert [stamp.get("adapts") for stamp in stamps.values()] == [
        *(None, None, "head_only", "body_only", "norms_only"),
        r"matching '\\.3\\.|bias'",
    ]


def test_empty_and_untrainable_selections_are_refused():
    with pytest.raises(UserError, match="GradientLearner.adapts = @matching 'layer9' adapts no tensor"):
        learner_of(matching("layer9"))
    with pytest.raises(UserError, match="@body_only leaves the head at zero, which passes no gradient; bind @Proto"):
        learner_of(body_only, ZeroHead)


def test_norms_of_every_library_are_norms():
    class LlamaRMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.GroupNorm(1, 3), nn.LayerNorm(3), LlamaRMSNorm())
    names = [f"{i}.{name}" for i in (1, 2, 3) for name in ("weight", "bias")]
    assert list(select_parameters(net, "", norms_only)) == [*names, "4.weight"]
    assert len(select_parameters(VitTiny(8, 4, 8, 2, 2), "", norms_only)) == 2 * 5  # two a block, and the last
