"""Imports of libraries that are optional extras of the package."""

from types import ModuleType

from alfa_md.errors import UserError


def require_matplotlib() -> ModuleType:
    """The matplotlib module, with `matplotlib.figure` imported. Raises UserError if it is not installed."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise UserError(
            "matplotlib is not installed: run scripts/install.sh plot, or pip install -e '.[plot]' in the clone"
        ) from error
    return matplotlib
