import pickle

import gin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfa_md.data.sampling import ClassDraw, EpisodeSampler, Sampling, draw_records, stable_rng
from alfa_md.data.spec import SPLITS
from alfa_md.errors import UserError
from tests.data.specs import SEED, bi_level, chi_square, dag, digest, draw, flat, published

FIVE_WAY_FIVE_SHOT = Sampling(num_ways=5, num_support=5, num_query=15)
GOLDEN = [
    ("ilsvrc_2012", "train", "7033631c845c915a", [(127, 24, 10), (128, 25, 10), (129, 34, 10)]),
    ("ilsvrc_2012", "valid", "0d561934bc9c71cc", [(1, 4, 10), (94, 8, 10), (2, 10, 10)]),
    ("ilsvrc_2012", "test", "0a169bdd039b50b1", [(1, 7, 10), (94, 8, 10), (2, 10, 10)]),
    ("omniglot", "train", "e77dfdac9e57e647", [(30, 5, 10), (47, 3, 10), (32, 5, 10)]),
    ("omniglot", "test", "fb296fed76524689", [(21, 5, 10), (38, 3, 10), (23, 5, 10)]),
    ("aircraft", "train", "6ad456bd71105302", [(58, 29, 10), (3, 55, 10), (38, 51, 10)]),
    ("aircraft", "test", "bdbfc023ef7ab904", [(4, 14, 10), (9, 30, 10), (7, 26, 10)]),
    ("cu_birds", "test", "8a242cc2ac785bdc", [(29, 10, 10), (10, 6, 10), (20, 7, 10)]),
    ("dtd", "test", "a576f43f2a25a1ed", [(4, 31, 10), (3, 101, 10), (0, 53, 10)]),
    ("quickdraw", "test", "3b91dd65d01ddd10", [(4, 67, 10), (44, 143, 10), (50, 102, 10)]),
    ("fungi", "train", "9bb75e61be442d85", [(652, 58, 4), (135, 22, 4), (954, 20, 4)]),
    ("fungi", "test", "70f0eab8f95025dc", [(40, 27, 6), (28, 95, 6), (101, 70, 6)]),
    ("vgg_flower", "test", "07c106722100d8c7", [(10, 51, 10), (15, 34, 10), (4, 12, 10)]),
    ("traffic_sign", "test", "ff411b99e0e1fd41", [(32, 21, 10), (26, 82, 10), (28, 63, 10)]),
    ("mscoco", "valid", "13ac3d76dbc63c99", [(27, 52, 10), (7, 33, 10), (26, 22, 10)]),
    ("mscoco", "test", "d87902896b47c924", [(27, 11, 10), (7, 66, 10), (26, 25, 10)]),
]


def test_the_seed_is_the_first_that_the_original_module_hands_out():
    assert np.random.RandomState(2020).randint(0, 2**32, dtype=np.uint32) == SEED


@pytest.mark.parametrize("source, split, expected, first", GOLDEN)
def test_same_episodes_as_the_original(source, split, expected, first):
    episodes = draw(EpisodeSampler(published(source), split, Sampling()), 200)
    assert episodes[0][:3] == first
    assert digest(episodes) == expected


def test_same_fixed_episodes_as_the_original():
    episodes = draw(EpisodeSampler(published("aircraft"), "test", FIVE_WAY_FIVE_SHOT), 200)
    assert episodes[0][:3] == [(3, 5, 15), (9, 5, 15), (4, 5, 15)]
    assert digest(episodes) == "e2161d053547ff88"


def test_a_published_class_too_small_is_named():
    sampling = Sampling(num_ways=5, num_support=1, num_query=15)
    with pytest.raises(UserError, match=r"fungi train: class \d+ \(.+\) has 6 images, but support and query need 16"):
        EpisodeSampler(published("fungi"), "train", sampling)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 2000), min_size=5, max_size=60), st.integers(0, 2**32 - 1))
def test_variable_episodes_keep_the_bounds(images, seed):
    for episode in draw(EpisodeSampler(flat(*images), "test", Sampling()), 5, seed):
        class_ids = [item.class_id for item in episode]
        assert len(set(class_ids)) == len(class_ids)
        assert 5 <= len(episode) <= min(50, len(images))
        assert sum(item.shots for item in episode) <= 500
        queries = min(10, min(images[class_id] for class_id in class_ids) // 2)
        for item in episode:
            assert item.queries == queries
            assert 1 <= item.shots <= images[item.class_id] - queries


def test_values_are_plain_integers():
    episode = draw(EpisodeSampler(flat(*[20] * 6), "test", Sampling()), 1)[0]
    assert all(type(value) is int for item in episode for value in item)
    assert isinstance(episode[0], ClassDraw)


def test_fixed_way_and_shot_with_query_from_the_smallest_class():
    sampler = EpisodeSampler(flat(8, 30, 30), "test", Sampling(num_ways=3, num_support=5))
    for episode in draw(sampler, 20):
        assert sorted(episode) == [(0, 5, 3), (1, 5, 3), (2, 5, 3)]


def test_range_of_shots_is_shared_and_covered():
    sampler = EpisodeSampler(flat(*[20] * 6), "test", Sampling(num_support=(2, 5)))
    shots = [{item.shots for item in episode} for episode in draw(sampler, 200)]
    assert all(len(shared) == 1 for shared in shots)
    assert set.union(*shots) == {2, 3, 4, 5}
    assert {item.queries for item in draw(sampler, 1)[0]} == {10}


REFUSED = [
    (flat(*[20] * 4), {}, "flat has 4 test classes, but an episode needs 5; lower Sampling.num_ways"),
    (flat(*[20] * 4), {"num_ways": 6}, "flat has 4 test classes, but an episode needs 6"),
    (flat(*[20] * 5, 3), {"min_examples_in_class": 21}, "flat has 0 test classes with at least 21 images"),
    (flat(*[20] * 5, 1), {}, "class 5 (class5) has 1 images, but support and query need 2"),
    (flat(*[20] * 5, 9), {"num_support": 9}, "class 5 (class5) has 9 images, but support and query need 10"),
    (flat(*[20] * 5, 9), {"num_support": (1, 9)}, "class 5 (class5) has 9 images, but support and query need 10"),
    (flat(*[20] * 5, 9), {"num_query": 9}, "class 5 (class5) has 9 images, but support and query need 10"),
    (flat(*[20] * 5, 9), {"num_support": 5, "num_query": 5}, "class 5 (class5) has 9 images"),
    (flat(*[20] * 9), {"max_support_set_size": 8}, "Sampling.max_support_set_size = 8 must be at least 9, the largest"),
    (bi_level(5, 4), {}, "letters test: superclass alphabet2 has 4 classes, but an episode needs 5"),
    (bi_level(5), {"num_ways": 5}, "Sampling.num_ways = 5 cannot be kept within the class hierarchy of letters"),
    (bi_level(5), {"min_examples_in_class": 2}, "set Sampling.ignore_bilevel_ontology = True"),
    (bi_level(5, images=1), {}, "class 3 (character3) has 1 images"),
    (dag({"n": [*"abcd"]}), {}, "nouns: no node of the test graph spans 5 to 392 classes"),
    (dag({"n": [*"abcde"]}), {"num_ways": 5}, "set Sampling.ignore_dag_ontology = True"),
    (dag({"n": [*"abcde"]}), {"num_support": 20}, "class 0 (e) has 20 images, but support and query need 21"),
]


@pytest.mark.parametrize("spec, values, expected", REFUSED)
def test_unsatisfiable_sampling_is_refused_at_construction(spec, values, expected):
    sampling = Sampling(**values)
    with pytest.raises(UserError) as error:
        EpisodeSampler(spec, "test", sampling)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_split_is_refused():
    with pytest.raises(UserError, match=r"flat has no train classes; choose a split that has some \(test\)"):
        EpisodeSampler(flat(20, 20), "train", Sampling())


@pytest.mark.parametrize(
    "values, name",
    [
        ({"num_ways": 0}, "num_ways"),
        ({"num_ways": 5.0}, "num_ways"),
        ({"num_query": 0}, "num_query"),
        ({"num_support": 0}, "num_support"),
        ({"num_support": 1.5}, "num_support"),
        ({"num_support": (3, 2)}, "num_support"),
        ({"num_support": (1, 2, 3)}, "num_support"),
        ({"min_ways": None}, "min_ways"),
        ({"max_ways_upper_bound": 4}, "max_ways_upper_bound"),
        ({"max_num_query": None}, "max_num_query"),
        ({"max_support_set_size": None}, "max_support_set_size"),
        ({"max_support_size_contrib_per_class": 0}, "max_support_size_contrib_per_class"),
        ({"min_log_weight": 1.0}, "min_log_weight"),
        ({"max_log_weight": None}, "min_log_weight"),
        ({"min_examples_in_class": -1}, "min_examples_in_class"),
        ({"ignore_hierarchy_probability": 1.5}, "ignore_hierarchy_probability"),
        ({"ignore_hierarchy_probability": float("nan")}, "ignore_hierarchy_probability"),
    ],
)
def test_invalid_values_are_refused(values, name):
    with pytest.raises(UserError, match=f"Sampling.{name} = .* must be"):
        Sampling(**values)


def test_bounds_may_be_unset_where_a_number_is_fixed():
    unset = {"min_ways": None, "max_ways_upper_bound": None, "max_num_query": None, "max_support_set_size": None}
    sampler = EpisodeSampler(flat(*[20] * 6), "test", Sampling(num_ways=5, num_support=[1, 1], num_query=3, **unset))
    assert {item[1:] for item in draw(sampler, 1)[0]} == {(1, 3)}


def test_gin_binds_by_scope():
    try:
        gin.parse_config("Sampling.num_ways = 5\ntrain/Sampling.num_ways = 20\ntrain/Sampling.num_support = (1, 5)")
        with gin.config_scope("train"):
            training = Sampling()
        assert (training.num_ways, training.num_support, Sampling().num_ways) == (20, (1, 5), 5)
        assert pickle.loads(pickle.dumps(training)) == training
    finally:
        gin.clear_config()


def test_stable_rng_is_pinned():
    drawn = stable_rng(7, "omniglot", "train", 3).randint(0, 2**32, size=4, dtype=np.uint32)
    assert drawn.tolist() == [3098043871, 1282141029, 3778756189, 1487052189]


def test_stable_rng_depends_on_every_word():
    names = [(7, "a", 3), (8, "a", 3), (7, "b", 3), (7, "a", 4), (7, "a")]
    assert len({stable_rng(*name).random_sample() for name in names}) == len(names)
    assert stable_rng(*names[0]).random_sample() == stable_rng(*names[0]).random_sample()


def test_draw_records_is_pinned():
    drawn = draw_records(np.random.RandomState(0), 1000, 8)
    assert drawn.dtype == np.int64
    assert drawn.tolist() == [684, 560, 631, 195, 839, 768, 713, 366]


def test_draw_records_is_uniform_over_ordered_choices():
    rng = np.random.RandomState(1)
    codes = [int(draw_records(rng, 5, 3) @ [25, 5, 1]) for _ in range(12000)]
    counts = np.unique(codes, return_counts=True)[1]
    assert len(counts) == 60  # all ordered choices of 3 of 5, and no repetition
    assert chi_square(counts, 200) < 98.3  # 99.9 % quantile, 59 degrees of freedom


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 2**32 - 1))
def test_draw_records_are_distinct(first, second, seed):
    count, num_images = sorted((first, second))
    drawn = draw_records(np.random.RandomState(seed), num_images, count).tolist()
    assert len(drawn) == len(set(drawn)) == count
    assert set(drawn) <= set(range(num_images))


def test_draw_records_does_not_depend_on_the_size_of_the_class():
    drawn = draw_records(np.random.RandomState(0), 10**15, 50)  # listing that many records would exhaust the memory
    assert len(np.unique(drawn)) == 50


@pytest.mark.parametrize("count", [-1, 6])
def test_draw_records_refuses_more_than_there_are(count):
    with pytest.raises(ValueError, match="distinct records of 5"):
        draw_records(np.random.RandomState(0), 5, count)


@pytest.mark.parametrize("split", SPLITS)
def test_sampling_never_fails_on_the_published_sources(split):
    for source in ("fungi", "omniglot", "ilsvrc_2012"):
        assert all(draw(EpisodeSampler(published(source), split, Sampling()), 20, seed=7))
