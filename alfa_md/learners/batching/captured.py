"""Episodes as CUDA graphs, for small networks that are launch-bound on a GPU."""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import gin
import torch
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.learners.batching.cuda_graph import CapturedFunction
from alfa_md.learners.gradient import GradientLearner

Batching = Callable[[GradientLearner, Sequence[Episode]], list[Tensor]]

MAX_GRAPHS = 8  # per learner; capturing takes about a second, and every graph holds memory

_graphs: WeakKeyDictionary[GradientLearner, dict[tuple, CapturedFunction]] = WeakKeyDictionary()


def on_parallel_streams(learner: GradientLearner, episodes: Sequence[Episode]) -> list[Tensor]:
    """Query scores of every episode; on a GPU every episode runs on its own CUDA stream, so that kernels overlap."""
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
def captured(
    learner: GradientLearner, episodes: Sequence[Episode], batching: Batching = on_parallel_streams
) -> list[Tensor]:
    """For `GradientLearner.batching`: inner loops and outer gradient of these episodes as two CUDA graphs.

    Graphs are captured for the first `MAX_GRAPHS` shapes of episodes: meant for fixed way and shot. `batching` computes
    the scores that are captured, such as `vmapped`. On other devices, and in training for learners with accumulators,
    which run Python code, nothing is captured; the numbers are the same.
    """
    graphs = _graphs.setdefault(learner, {})
    key = graph_key(learner, episodes)
    accumulates = learner.training and learner.accumulators()
    if accumulates or episodes[0].support_x.device.type != "cuda" or (key not in graphs and len(graphs) == MAX_GRAPHS):
        return batching(learner, episodes)
    columns = [tensor for episode in episodes for tensor in learner_inputs(episode)]
    if key not in graphs:
        learned = [parameter for parameter in learner.parameters() if parameter.requires_grad]
        graphs[key] = CapturedFunction(scores_function(learner, episodes, batching), columns, learned)
    return list(graphs[key](*columns).split([len(episode.query_y) for episode in episodes]))


def scores_function(learner: GradientLearner, episodes: Sequence[Episode], batching: Batching) -> Callable[..., Tensor]:
    """The concatenated query scores of episodes of these shapes, as a function of their `learner_inputs`."""

    def scores(*columns: Tensor) -> Tensor:
        # new tensor objects: patch moments cached for them in a warm-up must be computed again in the graph
        images = iter([tensor.detach() for tensor in columns])
        like = [
            episode._replace(support_x=next(images), support_y=next(images), query_x=next(images))
            for episode in episodes
        ]
        return torch.cat(batching(learner, like))

    return scores


def learner_inputs(episode: Episode) -> tuple[Tensor, Tensor, Tensor]:
    """The tensors of an episode that the query scores depend on."""
    return episode.tensors[:3]


def graph_key(learner: GradientLearner, episodes: Sequence[Episode]) -> tuple:
    """Key of a graph: mode, shapes, and memory addresses of the learner's tensors."""
    places = (tensor.data_ptr() for tensor in (*learner.parameters(), *learner.buffers()))
    shapes = ((episode.way, *((x.shape, x.dtype) for x in learner_inputs(episode))) for episode in episodes)
    return learner.training, torch.is_grad_enabled(), *places, *shapes
