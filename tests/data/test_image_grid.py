"""Image grid of an episode, and rescaling for display."""

import torch

from alfa_md.data.image_grid import BORDER, GREY, THUMBNAIL, episode_grid, rescale_for_display
from tests.episodes import random_episode


def plain_episode(size: int, channels: int = 3):
    """Class k has k + 1 support images of value -1, 0, 1 and two query images of value 0.5."""
    episode = random_episode(shots=(1, 2, 3), size=size)
    values = (episode.support_y - 1).double()[:, None, None, None]
    support = values.expand(-1, channels, size, size)
    return episode._replace(support_x=support, query_x=torch.full((6, channels, size, size), 0.5))


def test_values_between_minus_one_and_one_are_shown_as_they_are():
    episode = plain_episode(4)
    shown = rescale_for_display(episode)
    assert torch.allclose(shown.support_x.double(), (episode.support_x + 1) / 2) and (shown.query_x == 0.75).all()
    dim = episode.map(lambda tensor: tensor / 4 if tensor.is_floating_point() else tensor)
    assert torch.allclose(rescale_for_display(dim).support_x.double(), (episode.support_x / 4 + 1) / 2)


def test_images_normalised_otherwise_are_stretched_channel_by_channel():
    episode = random_episode()
    scale = torch.tensor([3.0, 5.0, 20.0]).double()[:, None, None]
    moved = episode._replace(support_x=episode.support_x * scale + 7, query_x=episode.query_x * scale + 7)
    shown = rescale_for_display(moved)
    both = torch.cat([shown.support_x, shown.query_x])
    assert (both.amin((0, 2, 3)) == 0).all() and torch.allclose(both.amax((0, 2, 3)), torch.ones(3))
    assert torch.allclose(
        shown.support_x, rescale_for_display(episode).support_x, atol=1e-5
    )  # whatever mean and deviation


def test_the_grid_has_classes_down_support_left_and_query_right():
    size, places = 10, 4
    grid = episode_grid(plain_episode(size), max_images=places)
    cell, gap = size + 2 * BORDER, (size + 2 * BORDER) // 2
    assert grid.shape == (3, 3 * cell, 2 * places * cell + gap)
    middle = grid[0, cell // 2 :: cell, cell // 2 : places * cell : cell]  # the centre of every place for support
    assert middle.tolist() == [[0.0, GREY, GREY, GREY], [0.5, 0.5, GREY, GREY], [1.0, 1.0, 1.0, GREY]]
    middle = grid[0, cell // 2 :: cell, places * cell + gap + cell // 2 :: cell]
    assert middle.tolist() == [[0.75, 0.75, GREY, GREY]] * 3
    assert (grid[:, :, places * cell : places * cell + gap] == GREY).all()


def test_the_grid_is_bounded():
    episode = random_episode(size=200)
    grid = episode_grid(episode, max_classes=2, max_images=1)
    cell = THUMBNAIL + 2 * BORDER
    assert grid.shape == (3, 2 * cell, 2 * cell + cell // 2)
    assert grid.min() >= 0 and grid.max() <= 1


def test_images_of_one_channel_are_shown_grey():
    assert torch.equal(episode_grid(plain_episode(6, channels=1)), episode_grid(plain_episode(6)))
