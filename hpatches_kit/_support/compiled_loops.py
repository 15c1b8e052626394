"""Compilation of loops at their first call."""

from numba import njit


def compiled(**options):
    """Decorate a function with `numba.njit`, without the global interpreter lock.

    Compiled code is cached beside the source, or in the user's cache folder. If neither is
    writable, as on some clusters, each process compiles anew.

    Args:
        options: for `njit`, such as `fastmath=True`, which allows sums in any order.
    """

    def decorate(function):
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, **options)(function)

    return decorate
