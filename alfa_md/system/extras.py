"""Imports of libraries that are optional extras of the package."""

from types import ModuleType

from alfa_md.errors import UserError


def require_matplotlib() -> ModuleType:
    """The matplotlib module, with `matplotlib.figure` imported. Raises UserError if it is not installed."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise not_installed("matplotlib", "plot") from error
    return matplotlib


def not_installed(library: str, extra: str) -> UserError:
    """The error for a library that is missing, with the extra that has it; pip adds one to any installation."""
    return UserError(
        f"{library} is not installed: pip install 'alfa_md[{extra}]', or in a clone scripts/install.sh {extra}"
    )
