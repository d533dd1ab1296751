"""Several episodes of equal shape in one call, which is faster where the network is small."""

from collections.abc import Callable, Sequence

import gin
from torch import Tensor
from torch.func import vmap

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.kernels.order import several_tasks
from alfa_md.kernels.task_by_task import stacked_as_they_are
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import QueryPortions
from alfa_md.params import Params


@gin.configurable
def vmapped(learner: GradientLearner, episodes: Sequence[Episode]) -> list[Tensor]:
    """For `GradientLearner.batching`: all episodes in one call where they are `stackable`, else one after the other."""
    if not stackable(learner, episodes):
        return [learner(episode) for episode in episodes]
    return list(vmapped_scores(learner, episodes))


def stackable(learner: GradientLearner, episodes: Sequence[Episode]) -> bool:
    """Whether they are several, of one way and of equal shapes, and the rule remembers nothing between steps.

    Raises UserError where query sets of several are to be split: the backward pass cannot compute under vmap again.
    """
    if len(episodes) == 1:
        return False
    if isinstance(learner.normalization, QueryPortions):
        raise UserError(
            "support_moments.query_portion is for one episode after the other; "
            "set GradientLearner.batching = None, or no query_portion"
        )
    shapes = {(episode.way, *(tensor.shape for tensor in tensors(episode))) for episode in episodes}
    return len(shapes) == 1 and learner.rule.for_task() is learner.rule


def vmapped_scores(learner: GradientLearner, episodes: Sequence[Episode]) -> Tensor:
    """Query scores [T, Nq, way] of T episodes that are `stackable`: the same numbers as one at a time.

    Fast weights are stacked [T, ...] and go through the inner loop of a single episode. No task's loss depends on
    another's fast weights, so the gradient of the sum of the support losses is every task's own, and differentiation
    stays outside of vmap.
    """
    columns = zip(*map(tensors, episodes), strict=True)
    support_x, support_y, query_x, _ = map(stacked_as_they_are, columns)

    def task_loss(params: Params, x: Tensor, y: Tensor) -> Tensor:
        return learner.support_loss(episodes[0]._replace(support_x=x, support_y=y))(params)

    def support_loss(params: Params) -> Tensor:
        return over_tasks(task_loss)(params, support_x, support_y).sum()

    starts = [learner.initial(episode) for episode in episodes]
    start = {name: stacked_as_they_are([own[name] for own in starts]) for name in starts[0]}
    params = learner.descend(start, support_loss, stacked(learner.rule), learner.steps)
    return over_tasks(learner.classify)(params, support_x, query_x)


def stacked(rule: Callable[[Params, Params, int], Params]) -> Callable[[Params, Params, int], Params]:
    """The rule for stacked fast weights and gradients, every task by itself."""
    return lambda params, grads, step: over_tasks(lambda p, g: rule(p, g, step))(params, grads)


def over_tasks(function: Callable) -> Callable:
    """`function` of one task for stacks of all, by operations that suit stacks."""

    def mapped(*stacks: object) -> object:
        with several_tasks():
            return vmap(function)(*stacks)

    return mapped


def tensors(episode: Episode) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What is stacked of an episode."""
    return episode.support_x, episode.support_y, episode.query_x, episode.query_y
