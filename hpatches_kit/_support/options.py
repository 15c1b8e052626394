"""Checks of options that several functions have."""

from math import isfinite
from numbers import Integral, Real

from hpatches_kit._support.errors import UserError


def check_whole_number(name, value, least, what=""):
    """Raise UserError, which names the option, unless it is a whole number, `least` or more.

    `what` continues the message, such as `" pixels"`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise UserError(f"{name}={value!r}: expected a whole number, {least} or more{what}.")


def check_longest(longest):
    """Raise UserError unless `longest` is a number of pixels, or None."""
    if longest is not None:
        check_whole_number("longest", longest, 1, " pixels, or None for no limit")


def check_positive(name, value, what):
    """Raise UserError, which names the option and says what it is, unless it is greater than 0."""
    if not isinstance(value, Real) or not isfinite(value) or value <= 0:
        raise UserError(f"{name}={value!r}: expected {what}, greater than 0.")
