"""Loops that are compiled when they first run."""

from numba import njit


def compiled(**options):
    """Decorate a function with `numba.njit`; other threads work on while it runs.

    What was compiled is kept beside the source, or in the user's cache folder, for the next time.
    Where neither can be written, as on some clusters, each process compiles anew.

    Args:
        options: such as `fastmath=True`, where sums may be added in any order.
    """

    def decorate(function):
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, **options)(function)

    return decorate
