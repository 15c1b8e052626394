"""Questions of lesson 3."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "more-negatives",
        3,
        "A verification list is made longer: every negative pair is listed twice, and the positive"
        " pairs stay. What happens to the scores of a descriptor?",
        (
            Option(
                "The ROC area and the average precision stay equal: the distances are the same.",
                "The distances are the same, but at every rank twice as many negatives stand before"
                " a positive. Precision counts them, so the average precision falls.",
            ),
            Option(
                "The ROC area falls, and the average precision stays equal.",
                "It is the other way round: the x axis of the ROC curve is the fraction of the"
                " negatives, and a fraction does not change when each negative counts twice.",
            ),
            Option(
                "The ROC area stays equal, and the average precision falls.",
                "The ROC curve has fractions of positives and of negatives on its axes. Precision"
                " divides by the number of pairs so far, which now has twice as many negatives.",
            ),
            Option(
                "Both fall: there are more chances for mistakes.",
                "There are more mistakes, but also more negatives to divide them by. That keeps the"
                " ROC area equal; only the precision has positives and negatives in one fraction.",
            ),
        ),
        "c",
    ),
    Question(
        "success-rate-and-ap",
        3,
        "In an image pair with 200 points, 120 nearest neighbours are correct. Which matching AP is"
        " possible?",
        (
            Option(
                "At most 0.6, and less if wrong matches rank among the correct ones.",
                "All 200 points count as positives, so recall ends at 120/200 = 0.6. The area is 0.6"
                " if all correct matches rank first, because precision is then 1.",
            ),
            Option(
                "Up to 1, if all correct matches rank before all wrong ones.",
                "That would hold if only the 120 correct matches counted as positives. The other 80"
                " points count as positives that are never found, so recall ends at 0.6.",
            ),
            Option(
                "Exactly 0.6, because the success rate is 0.6.",
                "0.6 is reached only if all correct matches rank before all wrong ones. Each wrong"
                " match with a small distance lowers the precision of those that follow.",
            ),
        ),
        "a",
    ),
    Question(
        "overlapping-intervals",
        3,
        "The confidence intervals of two scores overlap, but the interval of their difference is"
        " +0.01 to +0.03. What follows?",
        (
            Option(
                "Nothing: overlapping intervals show that the difference is chance.",
                "Both scores rise and fall together with the difficulty of the drawn sequences. That"
                " makes each interval long, and cancels in the difference.",
            ),
            Option(
                "The first descriptor is better on all images of the world.",
                "The interval comes from drawing the test sequences again. It says nothing about"
                " images of another kind, or about another seed of the training.",
            ),
            Option(
                "The larger interval is right, because it is more careful.",
                "Both are right, for different questions. The interval of a score says how far that"
                " score moves; the interval of the difference says how far the gain moves.",
            ),
            Option(
                "With other test sequences of this kind, the first one would probably be ahead, too.",
                "The difference is computed from the same draws of sequences for both descriptors,"
                " and in nearly all draws it is positive.",
            ),
        ),
        "d",
    ),
)
