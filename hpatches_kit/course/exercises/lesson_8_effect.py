"""The check of `effect`: differences that one can compute by hand."""

import numpy as np

from hpatches_kit.course.exercises.exercise import with_article
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_return,
    is_close,
)

T = 4.303
SCORES, BASELINE = np.array([0.50, 0.60, 0.70]), np.array([0.48, 0.57, 0.66])


def check_effect(effect):
    mean, half, word = _three(effect(SCORES, BASELINE), "effect of three seeds")
    _check_mean(mean)
    _check_half_width(half)
    expect(
        word == "clear",
        f"differences of 0.02, 0.03 and 0.04 have the interval 0.030 ± 0.025, and you call them {word!r}:"
        ' all of the interval is above 0, which is "clear".',
    )
    *_, word = _three(effect(BASELINE, SCORES), "effect of a worse row")
    expect(
        word == "clear",
        f"a mean of -0.03 with the interval -0.030 ± 0.025 is {word!r} to you: an effect below zero is"
        " clear, too. Compare its absolute value.",
    )
    _check_unclear(effect)
    mean, half, _ = _three(effect(SCORES[:2], BASELINE[:2], 12.706), "effect of two seeds")
    expect(
        is_close([mean, half], [0.025, 0.06353]),
        f"two seeds with t = 12.706 have the effect {mean:.3f} ± {half:.3f}: expected 0.025 ± 0.064."
        " Use the number of differences and the argument t.",
    )


def _check_mean(mean):
    known = {
        0.09: "divide the sum by the number of seeds",
        -0.03: "subtract the baseline from the scores, not the scores from the baseline",
        0.04: "you compare the best seeds; the mean of all seeds counts",
        0.02: "you compare the worst seeds; the mean of all seeds counts",
        0.6: "that is the mean of the scores: subtract the baseline first",
    }
    expect(
        is_close(mean, 0.03),
        f"for differences of 0.02, 0.03 and 0.04 the mean is 0.03: yours is {mean:.4g}."
        f" {_reason(mean, known)}",
    )


def _check_half_width(half):
    differences = SCORES - BASELINE
    s, groups = np.std(differences, ddof=1), [np.var(x, ddof=1) for x in (SCORES, BASELINE)]
    expected = T * s / np.sqrt(3)
    known = {
        expected
        * np.sqrt(2 / 3): "you divide by n = 3 in the standard deviation: of a sample, divide"
        " by n - 1 (ddof=1)",
        T
        * np.sqrt(
            sum(groups) / 3
        ): "you treat the rows as unpaired: the seeds differ by 0.1 in both"
        " alike, which subtracting seed by seed takes away",
        T * np.sqrt(groups[0] / 3): "that is the standard deviation of the scores: take that of the"
        " differences",
        T
        * np.sqrt(groups[1] / 3): "that is the standard deviation of the baseline: take that of the"
        " differences",
        T * s: "the mean of n seeds varies less than one seed: divide by sqrt(n)",
        T * s / 3: "divide by sqrt(n), not by n",
        T * s**2 / np.sqrt(3): "that is the variance: take its square root",
        s / np.sqrt(3): "that is one standard error: multiply by t",
        s: "that is the standard deviation of the differences: an interval has half the width t s / sqrt(n)",
        1.96 * s / np.sqrt(3): "1.96 is for many seeds: with three, use t = 4.303",
        2 * expected: "that is the whole width: return half of it",
        0.02: "that is the range of the differences",
        0.03 - expected: "that is the lower end of the interval: return half its width",
        0.03 + expected: "that is the upper end of the interval: return half its width",
    }
    expect(
        is_close(half, expected, 1e-4),
        f"half the width of the interval is t s / sqrt(n) = 4.303 * 0.01 / 1.732 = 0.0248: yours is"
        f" {half:.4f}. {_reason(half, known)}",
    )


def _check_unclear(effect):
    baseline = np.array([0.5, 0.5, 0.5])
    mean, _, word = _three(effect(baseline + [0.01, 0.03, 0.04], baseline), "effect")
    expect(
        is_close(mean, 0.026667),
        f"differences of 0.01, 0.03 and 0.04 have the mean 0.0267: yours is {mean:.4f}. Is it the median?",
    )
    expect(
        word == "unclear",
        f"differences of 0.01, 0.03 and 0.04 have the interval 0.027 ± 0.038, and you call them {word!r}:"
        ' 0 is inside, which is "unclear", although every seed is ahead. The mean decides, not the best'
        " seed.",
    )
    *_, word = _three(effect(baseline, baseline), "effect of a row on itself")
    expect(
        word == "unclear",
        f"the effect of a row compared with itself is {word!r}: no difference at all is not clear.",
    )


def _three(answer, what):
    """Mean, half width and word of an answer."""
    expect_return(answer, what)
    expect(
        isinstance(answer, tuple | list) and len(answer) == 3,
        f"{what} is {with_article(type(answer).__name__)}: expected three things, the mean"
        " difference, half the width of its interval, and a word.",
    )
    mean, half, word = answer
    for number, name in ((mean, "the mean difference"), (half, "half the width of the interval")):
        shape = np.shape(number)
        expect(shape == (), f"{name} has shape {shape}: expected one number.")
    mean = expect_array(mean, (), "the mean difference")
    half = expect_array(half, (), "half the width of the interval")
    expect(
        isinstance(word, str) and word in ("clear", "unclear"),
        f"the word is {word!r}: expected 'clear' or 'unclear'.",
    )
    return float(mean), float(half), word


def _reason(value, known):
    reason = next((known[k] for k in known if is_close(value, k, 1e-4)), "")
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""
