"""Imports of libraries that are optional extras of the package."""

from types import ModuleType

from alfa_md.errors import UserError


def require_matplotlib() -> ModuleType:
    """The matplotlib module, with `matplotlib.figure` imported. Raises UserError if it is not installed."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise _missing("matplotlib", "plot") from error
    return matplotlib


def require_huggingface_hub() -> ModuleType:
    """The module `huggingface_hub`. Raises UserError if it is not installed."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise _missing("huggingface-hub", "hub") from error
    return huggingface_hub


def require_transformers() -> ModuleType:
    """The module `transformers`, whose import takes seconds. Raises UserError if it is not installed."""
    try:
        import transformers
    except ImportError as error:
        raise _missing("transformers", "hub") from error
    return transformers


def _missing(library: str, extra: str) -> UserError:
    return UserError(
        f"{library} is not installed: run scripts/install.sh {extra}, or pip install -e '.[{extra}]' in the clone"
    )
