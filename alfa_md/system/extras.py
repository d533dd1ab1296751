"""Imports of libraries that are optional extras of the package."""

import logging
from types import ModuleType

from alfa_md.errors import UserError


def require_matplotlib() -> ModuleType:
    """The matplotlib module, with `matplotlib.figure` imported. Raises UserError if it is not installed."""
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # its first import logs that it has listed the fonts
    try:
        import matplotlib.figure
    except ImportError as error:
        raise not_installed("matplotlib", "plot") from error
    return matplotlib


def require_huggingface_hub() -> ModuleType:
    """The module `huggingface_hub`. Raises UserError if it is not installed."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise not_installed("huggingface-hub", "hub") from error
    return huggingface_hub


def require_transformers() -> ModuleType:
    """The module `transformers`, whose import takes seconds. Raises UserError if it is not installed."""
    try:
        import transformers
    except ImportError as error:
        raise not_installed("transformers", "hub") from error
    return transformers


def not_installed(library: str, extra: str) -> UserError:
    """The error for a library that is missing, with the extra that has it; pip adds one to any installation."""
    return UserError(
        f"{library} is not installed: pip install 'alfa_md[{extra}]', or in a clone scripts/install.sh {extra}"
    )
