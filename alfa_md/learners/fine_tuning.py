"""Full fine-tuning of a pretrained backbone and a new head on the support set of every episode."""

from collections.abc import Callable
from functools import partial
from inspect import signature

import gin

from alfa_md.errors import UserError
from alfa_md.heads import Head, ZeroHead
from alfa_md.learners.adapts import Adapts, everything
from alfa_md.learners.base import callable_name
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.initialization import learned
from alfa_md.params import Template
from alfa_md.rules.adam import Adam
from alfa_md.rules.base import UpdateRule
from alfa_md.values import Backbone, NonNegative, Steps


@gin.configurable
class FineTuningLearner(GradientLearner):
    """Fine-tuning by steps on the whole support set at one constant rate; only the backbone is that of a checkpoint.

    A GradientLearner with the normalisation, precision and objective that are bound for it; its other bindings are not
    used. As Meta-Dataset's Finetune baseline, but for the head, which starts at zero and not at random.

    Args:
      backbone: images [N, ...] -> features [N, D].
      rate: of every weight.
      num_steps: steps on the support set.
      head: `ZeroHead` or `PrototypeHead`, made anew for every episode.
      rule: `adam`, `momentum` or `sgd`, whose inner_rate is `rate`.
      adapts: the weights that are tuned, see `GradientLearner`.
    """

    backbone_alone = True

    def __init__(
        self,
        backbone: Backbone = gin.REQUIRED,
        rate: NonNegative = 0.001,
        num_steps: Steps = 50,
        head: Callable[[], Head] = ZeroHead,
        rule: Callable[[Template, int], UpdateRule] = Adam,
        adapts: Adapts = everything,
    ):
        super().__init__(
            backbone=backbone,
            head=head(),
            rule=at_rate(rule, rate),
            num_steps=num_steps,
            additional_evaluation_steps=0,
            first_order=True,
            adapts=adapts,
            prepare=None,
            initialization=learned,
            batching=None,
        )
        if any(True for _ in self.head.parameters()):
            raise UserError(
                f"FineTuningLearner.head = @{callable_name(head)} is learned over many episodes, and fine-tuning "
                "begins with a new one; bind @ZeroHead or @PrototypeHead"
            )
        self.rule.requires_grad_(False)
        self.rate, self.rule_name = rate, callable_name(rule)

    def stamp(self) -> dict:
        return super().stamp() | {"rule": self.rule_name, "rate": self.rate}


def at_rate(rule: Callable[[Template, int], UpdateRule], rate: float) -> Callable[[Template, int], UpdateRule]:
    """The rule with `rate` as its inner_rate. Raises UserError if it has none."""
    if "inner_rate" not in signature(rule).parameters:
        raise UserError(
            f"FineTuningLearner.rule = @{callable_name(rule)} has no inner_rate, which FineTuningLearner.rate is for; "
            "bind @adam, @momentum or @sgd"
        )
    return partial(rule, inner_rate=rate)
