"""The error class for mistakes of the user."""


class UserError(ValueError):
    """An input is wrong; the message names it, what was expected, and what to do.

    The command line prints only this message, for any other error except OSError the traceback.
    """
