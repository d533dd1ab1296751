"""ALFA on Meta-Dataset: gradient-based few-shot learning with gin-configured learners in PyTorch."""

from importlib import import_module

from alfa_md.system import startup

__version__ = "0.1.0"
__all__ = ["adapt", "open_run"]

# Imported when they are first used: the package itself imports neither PyTorch nor gin.
_LAZY = {"adapt": "alfa_md.inner_loop.loop", "open_run": "alfa_md.experiment.open_run"}

if startup.is_command():
    startup.prepare()


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
