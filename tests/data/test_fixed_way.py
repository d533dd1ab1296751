import numpy as np
import pytest

from alfa_md.data.fixed_way import FixedWay, FixedWaySampler
from alfa_md.errors import UserError


def sampler(classes=20, images=30, **sampling) -> FixedWaySampler:
    return FixedWaySampler("toy", "train", [f"c{i}" for i in range(classes)], [images] * classes, FixedWay(**sampling))


def test_the_defaults_are_five_way_one_shot_fifteen_queries():
    assert FixedWay() == FixedWay(way=5, shots=1, queries=15)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "5", None])
@pytest.mark.parametrize("name", ["way", "shots", "queries"])
def test_an_invalid_value_is_refused(name, value):
    with pytest.raises(UserError, match=rf"FixedWay.{name} = .* must be a whole number of at least [12]"):
        FixedWay(**{name: value})


def test_random_numbers_are_taken_in_the_order_of_the_reference():
    rng = np.random.RandomState(985773)
    classes = rng.choice(20, size=5, replace=False)
    rng.shuffle(classes)
    turns = rng.randint(0, 4, size=5)
    images = [rng.choice(30, size=18, replace=False) for _ in classes]
    drawn = sampler(way=5, shots=3, queries=15).sample(np.random.RandomState(985773))
    assert [d.class_id for d in drawn] == classes.tolist()
    assert [d.quarter_turns for d in drawn] == turns.tolist()
    assert all(np.array_equal(np.concatenate([d.support, d.query]), n) for d, n in zip(drawn, images, strict=True))
    assert all((len(d.support), len(d.query)) == (3, 15) for d in drawn)


def test_images_are_distinct_and_everything_is_drawn_equally_often():
    ours, rng = sampler(classes=4, images=5, way=2, shots=2, queries=1), np.random.RandomState(0)
    counts, turns = np.zeros((4, 5, 2)), np.zeros(4)
    for _ in range(4000):
        episode = ours.sample(rng)
        assert len({d.class_id for d in episode}) == 2
        for d in episode:
            assert len({*d.support.tolist(), *d.query.tolist()}) == 3
            counts[d.class_id, d.support, 0] += 1
            counts[d.class_id, d.query, 1] += 1
            turns[d.quarter_turns] += 1
    assert np.allclose(counts[..., 0], 800, atol=120) and np.allclose(counts[..., 1], 400, atol=90)
    assert np.allclose(turns, 2000, atol=180)


def test_one_class_has_nothing_to_be_told_from():
    with pytest.raises(UserError, match="^FixedWay.way = 1 must be a whole number of at least 2"):
        FixedWay(way=1)


def test_the_largest_way_and_all_images_can_be_drawn():
    drawn = sampler(classes=3, images=4, way=3, shots=1, queries=3).sample(np.random.RandomState(0))
    assert sorted(d.class_id for d in drawn) == [0, 1, 2]


def test_too_few_classes_or_images_are_refused_at_construction():
    with pytest.raises(UserError, match="^toy train: has 3 classes, but FixedWay.way = 5; lower it or add classes$"):
        sampler(classes=3)
    with pytest.raises(UserError, match="^toy train: class c0 has 15 images, .* need 16; lower them or add images$"):
        sampler(images=15)
    uneven = (["a", "b"], [20, 9], FixedWay(way=2, shots=5, queries=5))
    with pytest.raises(UserError, match="class b has 9 images"):
        FixedWaySampler("toy", "test", *uneven)
