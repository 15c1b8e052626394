"""Questions of lesson 8."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "interval-with-zero",
        8,
        "With Adam, the deep U-Net has a PSNR that is higher than that of the shallow one by 0.98 dB on"
        " average; the 95 % interval is -1.04 to +2.99 dB. What follows?",
        (
            Option(
                "Both are equally good.",
                "The interval also contains +2.5 dB. Three seeds do not show a difference; they do not"
                " show that there is none.",
            ),
            Option(
                "The deep net is better, because the mean is above zero.",
                "If both were equally good, the mean would be above zero in half of all experiments.",
            ),
            Option(
                "Three seeds do not decide it: the true difference may be 0, and it may be large.",
                "That is what an interval with zero inside says. More seeds make it narrower.",
            ),
            Option(
                "The deep net is better in 95 % of trainings.",
                "The interval is about the mean difference, not about single trainings.",
            ),
        ),
        "c",
    ),
    Question(
        "same-seeds",
        8,
        "Why are the scores of two rows subtracted seed by seed before the standard deviation is taken?",
        (
            Option(
                "What a seed changes in both rows alike, such as the patches that it draws, cancels.",
                "The differences then vary less than the scores. If a seed changes nothing in both"
                " alike, pairing gains nothing.",
            ),
            Option(
                "The mean difference differs from the difference of the means.",
                "They are the same number. Only the standard deviation depends on the pairs.",
            ),
            Option(
                "Half as many numbers give an interval of half the width.",
                "Fewer numbers make intervals wider, not narrower.",
            ),
            Option(
                "So that the order of the seeds does not matter.",
                "It matters: each score is subtracted from the one with the same seed.",
            ),
        ),
        "a",
    ),
    Question(
        "changed-together",
        8,
        "In A-table-2, the improved descriptor is better than the baseline: this holds in all three scores. The"
        " rows differ in batches, negatives, margin, distance, optimiser and normalisation. What is shown?",
        (
            Option(
                "Hard negatives are the reason, because all scores agree.",
                "All three scores compare the same two rows, which differ in all six. That the scores agree"
                " does not tell the six apart."
                " Table beyond-mining changes the negatives alone.",
            ),
            Option(
                "Each of the six changes helps.",
                "One of them could even cost something, if the others gain more.",
            ),
            Option(
                "Nothing, because more than one thing was changed.",
                "The claim about the whole is shown: together, the six changes help.",
            ),
            Option(
                "The six changes together help; which of them does is open.",
                "A comparison tests what it changes. To test one change, change only this one.",
            ),
        ),
        "d",
    ),
)
