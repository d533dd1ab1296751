"""ALFA on Meta-Dataset: gradient-based few-shot learning with gin-configured learners in PyTorch.

The API in Python, which is imported when it is first used:

* `adapt`, `unroll`: the inner loop, on the parameters of any module
* `alfa`, `alfa_random`, `sgd`, `lslr`, `lslr_decay`, `meta_sgd`, `Momentum`, `Adam`: update rules, each an `UpdateRule`
* `open_run`: a trained run as an `OpenedRun`; `evaluate`: the scores of its learner, as `SourceScores`
* `Episode`, `EpisodeSource`: a task as tensors; episodes by their index
* `Learner`, `GradientLearner`, `PrototypicalLearner`: from an episode to query scores and an outer loss
* `ZeroHead`, `LearnedHead`, `PrototypeHead`: heads of a GradientLearner
* `Objective`, `classification`, `regression`: loss and score
* `UserError`: bad input, in one line

On the command line: `alfa-md`, or `python -m alfa_md.train` and so on.
"""

import sys
from importlib import import_module
from types import ModuleType

from alfa_md.system import startup

__version__ = "0.1.0"

# Imported when they are first used: the package itself imports neither PyTorch nor gin. Types: in __init__.pyi.
_PLACES = {
    "alfa_md.episode": ("Episode", "EpisodeSource"),
    "alfa_md.errors": ("UserError",),
    "alfa_md.evaluation.evaluate": ("SourceScores", "evaluate"),
    "alfa_md.experiment.open_run": ("OpenedRun", "open_run"),
    "alfa_md.heads": ("LearnedHead", "PrototypeHead", "ZeroHead"),
    "alfa_md.inner_loop.loop": ("adapt", "unroll"),
    "alfa_md.learners.base": ("Learner",),
    "alfa_md.learners.gradient": ("GradientLearner",),
    "alfa_md.learners.prototypical": ("PrototypicalLearner",),
    "alfa_md.objectives": ("Objective", "classification", "regression"),
    "alfa_md.rules.adam": ("Adam",),
    "alfa_md.rules.alfa": ("alfa", "alfa_random"),
    "alfa_md.rules.base": ("UpdateRule",),
    "alfa_md.rules.lslr": ("lslr",),
    "alfa_md.rules.lslr_decay": ("lslr_decay",),
    "alfa_md.rules.meta_sgd": ("meta_sgd",),
    "alfa_md.rules.momentum": ("Momentum",),
    "alfa_md.rules.sgd": ("sgd",),
}
_LAZY = {name: module for module, names in _PLACES.items() for name in names}
__all__ = sorted(_LAZY)

if startup.is_command():
    startup.prepare()


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package, in which the function `evaluate` stays when the command, the module of that name, is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _LAZY and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
