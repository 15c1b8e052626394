"""Loops that numba compiles at their first call."""

from numba import njit


def compiled(**options):
    """Decorate a function with `numba.njit(**options)`, without the global interpreter lock."""

    def decorate(function):
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # no folder for compiled code is writable, as on some clusters
            return njit(nogil=True, **options)(function)

    return decorate
