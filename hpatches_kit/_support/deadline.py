"""A time limit for work in several steps, checked before each of them."""

import time
from contextlib import contextmanager
from contextvars import ContextVar

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_duration

_current = ContextVar("deadline", default=None)


@contextmanager
def time_limit(seconds, task):
    """Limit the time of the steps inside that call `time_check`; None for no limit.

    Args:
        seconds: a step that is running then is still finished.
        task: what takes the time, for the message.
    """
    limit = None if seconds is None else (time.monotonic() + seconds, seconds, task)
    token = _current.set(limit)
    try:
        yield
    finally:
        _current.reset(token)


def time_check():
    """A function that raises UserError when the time limit has passed; any thread may call it."""
    limit = _current.get()

    def check():
        if limit and time.monotonic() > limit[0]:
            raise UserError(
                f"{limit[2]} took longer than its limit of {format_duration(limit[1])}: use fewer"
                " points or dimensions, or raise the limit."
            )

    return check
