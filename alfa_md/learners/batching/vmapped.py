"""Episodes of equal shape stacked under vmap: fewer, larger operations for small networks."""

from collections.abc import Callable, Sequence

import gin
from torch import Tensor
from torch.func import vmap

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.heads import linear
from alfa_md.kernels.dispatch import stacked_tasks
from alfa_md.kernels.sequential_vmap import stack_tasks
from alfa_md.learners.gradient import GradientLearner, Start
from alfa_md.params import Params
from alfa_md.rules.base import State, UpdateRule


@gin.configurable
def vmapped(learner: GradientLearner, episodes: Sequence[Episode]) -> list[Tensor]:
    """For `GradientLearner.batching`: all episodes together if they are `stackable`, else one at a time."""
    if not stackable(learner, episodes):
        return [learner(episode) for episode in episodes]
    return list(vmapped_scores(learner, episodes))


def stackable(learner: GradientLearner, episodes: Sequence[Episode]) -> bool:
    """True for several episodes of the same way and shapes.

    Raises UserError for several episodes with `query_portion`: the backward pass cannot recompute under vmap.
    """
    if len(episodes) == 1:
        return False
    if getattr(learner.normalization, "query_portion", None) is not None:
        raise UserError(
            "support_moments.query_portion is for one episode at a time; "
            "set GradientLearner.batching = None, or no query_portion"
        )
    return len({(episode.way, *(tensor.shape for tensor in episode.tensors)) for episode in episodes}) == 1


def vmapped_scores(learner: GradientLearner, episodes: Sequence[Episode]) -> Tensor:
    """Query scores [T, Nq, way] of T episodes that are `stackable`: the same numbers as one at a time.

    Fast weights and state are stacked [T, ...] and go through the inner loop of one episode. No task's loss depends on
    another's fast weights, so the gradient of the sum of the support losses is every task's own, and differentiation
    stays outside of vmap.
    """
    support_x, support_y, query_x, _ = map(stack_tasks, zip(*(episode.tensors for episode in episodes), strict=True))

    def task_loss(params: Params, x: Tensor, y: Tensor) -> Tensor:
        return learner.support_loss(episodes[0]._replace(support_x=x, support_y=y))(params)

    def support_loss(params: Params) -> Tensor:
        return over_tasks(task_loss)(params, support_x, support_y).sum()

    starts = [learner.start(episode, single_task=False) for episode in episodes]
    fast, constants = (stack_params([getattr(start, part) for start in starts]) for part in ("fast", "constants"))
    params = learner.run_inner_loop(
        Start(fast, constants), support_loss, StackedRule(learner.rule), learner.effective_num_steps
    )
    if starts[0].query is not None:
        return over_tasks(linear)(stack_tasks([start.query for start in starts]), params)
    return over_tasks(learner.classify)(params, support_x, query_x)


class StackedRule(UpdateRule):
    """An update rule vmapped over stacked fast weights, gradients and state."""

    def __init__(self, rule: UpdateRule):
        super().__init__()
        self.rule = rule

    def init(self, params: Params) -> State:
        return over_tasks(self.rule.init)(params)

    def update(self, params: Params, grads: Params, state: State, step: int) -> tuple[Params, State]:
        return over_tasks(lambda *task: self.rule.update(*task, step))(params, grads, state)


def over_tasks(function: Callable) -> Callable:
    """vmap of a function of one task, with operations for stacked tasks."""

    def mapped(*stacks: object) -> object:
        with stacked_tasks():
            return vmap(function)(*stacks)

    return mapped


def stack_params(params: Sequence[Params]) -> Params:
    """The weights of all tasks by name [T, ...]."""
    return {name: stack_tasks([own[name] for own in params]) for name in params[0]}
