"""Command line parsers of the scripts, in which no flag is given twice."""

import argparse


class Once(argparse.Action):
    """Stores a value, like argparse's own action, which would take the last of several."""

    given: str | None = None

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        if self.given is not None:
            parser.error(f"{self.given} is given twice; give it once")
        self.given = option_string
        setattr(namespace, self.dest, values)


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with this description; a flag that is given twice ends it with exit code 2, unless it is a list."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.register("action", None, Once)
    return parser
