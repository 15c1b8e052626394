"""The error class for mistakes of the user."""

from contextlib import contextmanager


class UserError(ValueError):
    """An input is wrong; the message names it, what was expected, and what to do.

    The command line prints only this message, for any other error except OSError the traceback.
    """


@contextmanager
def errors_about(name):
    """Say in a UserError which of several inputs it is about, such as "the picture A" or a path."""
    try:
        yield
    except UserError as error:
        name = name.replace("the ", "The ", 1) if name.startswith("the ") else name
        raise UserError(f"{name} cannot be used. {error}") from error
