import numpy as np
import pytest

from alfa_md.data.class_selection import UniformClasses, Ways
from alfa_md.data.sampling import EpisodeSampler, Sampling
from alfa_md.data.spec import HierarchicalSpec
from alfa_md.errors import UserError
from tests.data.specs import bi_level, chi_square, dag, digest, draw, flat, published


@pytest.mark.parametrize(
    "split, nodes, large, entries, way, expected",
    [
        ("train", 113, 16, 3371, 19.0, "a404652ed808e6f1"),
        ("valid", 18, 4, 636, 20.4, "58259873f188422d"),
        ("test", 15, 1, 302, 14.8, "7712c0df254ca909"),
    ],
)
def test_eligible_nodes_of_imagenet(split, nodes, large, entries, way, expected):
    spec = published("ilsvrc_2012")
    selection = EpisodeSampler(spec, split, Sampling()).selection.hierarchy
    assert len(selection.spans) == nodes
    assert sum(len(span) > 50 for span in selection.spans) == large
    assert sum(map(len, selection.spans)) == entries
    assert digest([span.tolist() for span in selection.spans]) == expected
    assert selection.class_ids.tolist() == list(range(len(spec.classes(split))))  # every class can be drawn
    assert np.mean([min(50, len(span)) for span in selection.spans]) == pytest.approx(way, abs=0.05)


def test_fewer_nodes_are_eligible_for_a_larger_smallest_way():
    sampler = EpisodeSampler(published("ilsvrc_2012"), "train", Sampling(min_ways=10))
    assert len(sampler.selection.hierarchy.spans) == 65
    with pytest.raises(UserError, match="dtd has 7 test classes, but an episode needs 10"):
        EpisodeSampler(published("dtd"), "test", Sampling(min_ways=10))


def test_ways_are_uniform_with_both_ends():
    ways = [len(episode) for episode in draw(EpisodeSampler(flat(*[20] * 9), "test", Sampling()), 5000)]
    counts = np.bincount(ways, minlength=10)
    assert counts[:5].sum() == 0
    assert chi_square(counts[5:10], 1000) < 18.5  # 99.9 % quantile, 4 degrees of freedom


def test_small_classes_are_left_out_on_request():
    sampler = EpisodeSampler(flat(20, 20, 3, 20, 20, 20, 3, 20), "test", Sampling(min_examples_in_class=4))
    assert {item.class_id for episode in draw(sampler, 100) for item in episode} == {0, 1, 3, 4, 5, 7}


def test_bi_level_episodes_stay_in_one_superclass():
    sampler = EpisodeSampler(bi_level(5, 9, 6), "test", Sampling())
    groups = [range(0, 5), range(5, 14), range(14, 20)]
    chosen = []
    for episode in draw(sampler, 900):
        inside = [all(item.class_id in group for item in episode) for group in groups]
        assert sum(inside) == 1
        chosen.append(inside.index(True))
    assert chi_square(np.bincount(chosen), 300) < 13.9  # 99.9 % quantile, 2 degrees of freedom


def test_dag_episodes_take_all_leaves_in_order_of_their_names():
    sampler = EpisodeSampler(dag({"n0": ["n1", "n2"], "n1": [*"abcde"], "n2": [*"defghi"]}), "test", Sampling())
    names = {"".join("ihgfedcba"[item.class_id] for item in episode) for episode in draw(sampler, 60)}
    assert names == {"abcdefghi", "abcde", "defghi"}


def test_dag_episodes_subsample_large_nodes():
    sampler = EpisodeSampler(dag({"n0": [*"abcdefghi"]}), "test", Sampling(max_ways_upper_bound=6))
    episodes = [[item.class_id for item in episode] for episode in draw(sampler, 100)]
    assert {len(set(episode)) for episode in episodes} == {6}
    assert set.union(*map(set, episodes)) == set(range(9))
    assert any(episode != sorted(episode) for episode in episodes)


@pytest.mark.parametrize(
    "spec, ignored",
    [(bi_level(5, 6), {"ignore_bilevel_ontology": True}), (dag({"n": [*"abcdefghi"]}), {"ignore_dag_ontology": True})],
)
def test_an_ignored_ontology_is_uniform(spec, ignored):
    classes = len(spec.classes("test"))
    same_as = draw(EpisodeSampler(flat(*[20] * classes), "test", Sampling()), 50)
    assert draw(EpisodeSampler(spec, "test", Sampling(**ignored)), 50) == same_as
    fixed = Sampling(num_ways=7, num_support=1, num_query=1, **ignored)
    assert {len(episode) for episode in draw(EpisodeSampler(spec, "test", fixed), 20)} == {7}


def test_hierarchy_is_ignored_with_the_given_probability():
    sampler = EpisodeSampler(bi_level(5, 5), "test", Sampling(ignore_hierarchy_probability=0.25))
    mixed = [len({item.class_id < 5 for item in episode}) == 2 for episode in draw(sampler, 4000)]
    # A uniform episode of 5 to 10 of the 10 classes lies in one superclass with probability 2 / C(10, 5) / 6.
    assert np.mean(mixed) == pytest.approx(0.25 * (1 - 2 / 252 / 6), abs=0.025)


def test_always_ignored_hierarchy_still_consumes_a_random_number():
    sampler = EpisodeSampler(bi_level(5, 6), "test", Sampling(ignore_hierarchy_probability=1.0))
    rng = np.random.RandomState(3)
    rng.random_sample()
    expected = UniformClasses(np.arange(11), Ways(5, 50)).draw(rng)
    assert [item.class_id for item in draw(sampler, 1, seed=3)[0]] == expected.tolist()


def test_classes_reached_only_without_the_hierarchy_are_checked_too():
    spec = dag({"n0": ["n1", "z"], "n1": [*"abcde"]}, images=20)
    images = tuple(1 if name == "z" else 20 for name in spec.class_names)
    lonely = HierarchicalSpec("nouns", spec.class_names, images, spec.classes_per_split, graphs=spec.graphs)
    sampling = Sampling(max_ways_upper_bound=5, min_examples_in_class=2)
    assert draw(EpisodeSampler(lonely, "test", sampling), 3)
    with pytest.raises(UserError, match=r"nouns test: class 0 \(z\) has 1 images, but support and query need 2"):
        EpisodeSampler(lonely, "test", Sampling(ignore_hierarchy_probability=0.5))
