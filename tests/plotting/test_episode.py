"""The figure of an episode: predictions before and after adaptation, marked right or wrong."""

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.plotting.canvas import BLUE, ORANGE
from alfa_md.plotting.episode import (
    CLASSES,
    NONE,
    QUERY,
    SUPPORT,
    Predictions,
    draw_episode,
    plot_episode,
    predict_classes,
)
from tests.episodes import random_episode, smooth_net
from tests.plotting.images import is_drawn, texts
from tests.plotting.loaded_runs import loaded_run, loaded_sine_run


def marks(figure):
    """(text, colour) below the images."""
    return [(t.get_text(), t.get_color()) for t in figure.axes[0].texts if t.get_text()[0] in "✓✗"]


def test_predictions_are_those_of_the_learner_before_and_after_its_inner_loop():
    about = loaded_run()
    drawn = about.episode(3)
    seen = predict_classes(about.learner, drawn)
    assert list(seen) == ["before", "after"]
    with torch.no_grad():
        first = about.learner.classify(about.learner.initial(drawn), drawn.support_x, drawn.query_x)
        assert torch.equal(seen["after"].query, about.learner(drawn).argmax(dim=1))
    assert torch.equal(seen["before"].query, first.argmax(dim=1))
    assert len(seen["after"].support) == len(drawn.support_y)


def test_a_learner_that_does_not_adapt_has_one_prediction():
    learner = PrototypicalLearner(smooth_net()).float().eval()
    drawn = loaded_run(learner).episode(0)
    ((when, predictions),) = predict_classes(learner, drawn).items()
    assert when == "without adaptation" and torch.equal(predictions.query, learner(drawn).argmax(dim=1))
    assert len(marks(draw_episode("tiny", drawn, {when: predictions}))) == len(drawn.support_y) + len(drawn.query_y)


def test_marks_say_what_is_right_and_what_is_wrong():
    drawn = random_episode(way=2, shots=(1, 1), queries=1)
    before = Predictions(torch.tensor([0, 0]), torch.tensor([1, 1]))
    after = Predictions(torch.tensor([0, 1]), torch.tensor([0, 0]))
    figure = draw_episode("tiny", drawn, {"before": before, "after": after})
    right, wrong = (lambda seen: (f"✓{seen}", BLUE)), (lambda seen: (f"✗{seen}", ORANGE))
    support = [right(0), right(0), wrong(0), right(1)]  # two marks an image: before, after
    query = [wrong(1), right(0), right(1), wrong(0)]
    assert marks(figure) == support + query
    words = " ".join(text.get_text() for text in figure.texts)
    assert "noise train episode 0 of seed 0" in words and "before 50.0 %, after 50.0 %" in words
    assert len(figure.axes[0].images) == 4


def test_a_large_episode_is_shown_in_part():
    drawn = random_episode(way=12, shots=(9,) * 12, queries=9, size=4)
    predictions = Predictions(drawn.support_y, drawn.query_y)
    figure = draw_episode("tiny", drawn, {"before": predictions, "after": predictions})
    assert len(figure.axes[0].images) == CLASSES * (SUPPORT + QUERY)
    assert "12-way, 108 support and 108 query images" in figure.texts[0].get_text()


def test_the_files(tmp_path):
    png, svg = plot_episode(loaded_run(), 2, tmp_path / "fig")
    assert is_drawn(png) and {"support", "query", "tiny: noise test episode 2 of seed 0"} <= set(texts(svg))


def test_points_of_a_curve_are_no_images(tmp_path):
    with pytest.raises(UserError, match="^sine has no images of classes to draw; see `alfa_md.plot regression`$"):
        plot_episode(loaded_sine_run(), 0, tmp_path / "fig")
    assert list(tmp_path.iterdir()) == []


def test_scores_that_are_not_finite_are_no_class():
    about = loaded_run()
    with torch.no_grad():
        for parameter in about.learner.rule.parameters():
            parameter.mul_(1e30)
    drawn = about.episode(0)
    seen = predict_classes(about.learner, drawn)
    assert (seen["before"].query != NONE).all() and (seen["after"].query == NONE).all()
    figure = draw_episode("tiny", drawn, seen)
    assert "after 0.0 % (diverged)" in figure.texts[0].get_text() and ("✗?", ORANGE) in marks(figure)
