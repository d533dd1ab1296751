"""The one exception that a user can cause and can cure."""


class UserError(Exception):
    """Bad input: one line that names the file, class or binding, and the remedy.

    The entries print it and exit with code 2; nothing else in the package catches it.
    """
