"""The error for everything a user can fix."""


class UserError(ValueError):
    """Something the user gave is wrong: the message names it, what was expected, and what to do.

    The command line prints it as one line; any other error shows its traceback.
    """
