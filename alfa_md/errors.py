"""The one exception that a user can cause and can cure."""


class UserError(Exception):
    """Bad input: one line that names the file, class or binding, and the remedy.

    The entries print it and exit with code 2; inside the package it is caught only where the cure is at hand.
    """
