"""Libraries that come with an extra of the package, imported where they are needed."""

from types import ModuleType

from alfa_md.errors import UserError


def require_matplotlib() -> ModuleType:
    """matplotlib, with its figures. Raises UserError where it is not installed."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise UserError(
            "matplotlib is not installed: run scripts/install.sh plot, or pip install -e '.[plot]' in the clone"
        ) from error
    return matplotlib
