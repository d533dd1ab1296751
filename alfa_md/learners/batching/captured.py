"""Episodes as CUDA graphs: where a small network leaves a GPU waiting for the next kernel."""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import gin
import torch
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.learners.batching.cuda_graph import Capture
from alfa_md.learners.batching.vmapped import tensors
from alfa_md.learners.gradient import GradientLearner

Batching = Callable[[GradientLearner, Sequence[Episode]], list[Tensor]]

LIMIT = 8  # shapes; further ones come too rarely to be worth a second and their memory

_kept: WeakKeyDictionary[GradientLearner, dict[tuple, Capture]] = WeakKeyDictionary()


def side_by_side(learner: GradientLearner, episodes: Sequence[Episode]) -> list[Tensor]:
    """Query scores of every episode; on a GPU each on a stream of its own, so that it has several kernels to do."""
    if episodes[0].support_x.device.type != "cuda":
        return [learner(episode) for episode in episodes]
    here, scores, streams = torch.cuda.current_stream(), [], [torch.cuda.Stream() for _ in episodes]
    for episode, stream in zip(episodes, streams, strict=True):
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            scores.append(learner(episode))
    for stream in streams:
        here.wait_stream(stream)
    return scores


@gin.configurable
def captured(learner: GradientLearner, episodes: Sequence[Episode], batching: Batching = side_by_side) -> list[Tensor]:
    """For `GradientLearner.batching`: inner loops and outer gradient of these episodes as two CUDA graphs.

    They are made for the first `LIMIT` shapes of episodes that come: for fixed way and shot. `batching` is what is
    captured, such as `vmapped`. On other devices, and in training for learners with accumulators, which work in Python,
    nothing is captured; the numbers are the same.
    """
    graphs = _kept.setdefault(learner, {})
    key = circumstances(learner, episodes)
    accumulates = learner.training and learner.accumulators()
    if accumulates or episodes[0].support_x.device.type != "cuda" or (key not in graphs and len(graphs) == LIMIT):
        return batching(learner, episodes)
    columns = [tensor for episode in episodes for tensor in seen(episode)]
    if key not in graphs:
        learned = [parameter for parameter in learner.parameters() if parameter.requires_grad]
        graphs[key] = Capture(scoring(learner, episodes, batching), columns, learned)
    return list(graphs[key](*columns).split([len(episode.query_y) for episode in episodes]))


def scoring(learner: GradientLearner, episodes: Sequence[Episode], batching: Batching) -> Callable[..., Tensor]:
    """The scores of episodes like these, one below the other, as a function of what is `seen` of them."""

    def scores(*columns: Tensor) -> Tensor:
        # tensors of this call alone: what has been counted of images in a warm-up is counted again in the graph
        images = iter([tensor.detach() for tensor in columns])
        like = [
            episode._replace(support_x=next(images), support_y=next(images), query_x=next(images))
            for episode in episodes
        ]
        return torch.cat(batching(learner, like))

    return scores


def seen(episode: Episode) -> tuple[Tensor, Tensor, Tensor]:
    """What a learner looks at."""
    return tensors(episode)[:3]


def circumstances(learner: GradientLearner, episodes: Sequence[Episode]) -> tuple:
    """What a graph holds for: mode, shapes, and the places of the learner's tensors."""
    places = (tensor.data_ptr() for tensor in (*learner.parameters(), *learner.buffers()))
    shapes = ((episode.way, *((x.shape, x.dtype) for x in seen(episode))) for episode in episodes)
    return learner.training, torch.is_grad_enabled(), *places, *shapes
