"""What the checks of lesson 3 say of a number: each known mistake has a number of its own."""

from hpatches_kit.course.exercises.expectations import expect, is_close


def expect_number(value, expected, given, otherwise, known=()):
    """Raise `Wrong` unless a number is the expected one.

    Args:
        value, expected: what the learner computed, and what is right.
        given: what it was computed from, a plural, such as `"the ten pairs of the lesson"`.
        otherwise: what to do if the number is none of the known ones.
        known: `{number: reason}` of known mistakes.
    """
    if is_close(value, expected):
        return
    reasons = [reason for wrong, reason in dict(known).items() if is_close(value, wrong)]
    reason = reasons[0] if reasons else otherwise
    expect(False, f"{given} give {value:.3f}: expected {expected:.3f}. {reason}")
