"""A single update of a rule, from its initial state."""

from alfa_md.params import Params
from alfa_md.rules.base import UpdateRule


def one_step(rule: UpdateRule, params: Params, grads: Params, step: int) -> Params:
    """The fast weights after inner step `step`, with the initial state."""
    return rule.update(params, grads, rule.init(params), step)[0]
