"""The first call of an update rule on a task."""

from alfa_md.params import Params
from alfa_md.rules.base import UpdateRule


def one_step(rule: UpdateRule, params: Params, grads: Params, step: int) -> Params:
    """The fast weights after inner step `step`, from the state that a task starts with."""
    return rule.update(params, grads, rule.init(params), step)[0]
