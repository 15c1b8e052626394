"""Questions of lesson 5: triplets with loss 0, fair comparisons, and collapse."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "zero-loss",
        5,
        "In its last epoch, 27 % of the random triplets of a network are active: their loss is"
        " above 0. What do the other 73 % contribute to the training?",
        (
            Option(
                "They keep pulling each positive closer to its anchor, a little.",
                "The maximum with 0 covers the positive, too. Once the negative is farther away by"
                " the margin, neither distance is in the loss any more.",
            ),
            Option(
                "Nothing: their gradient is 0.",
                "The maximum with 0 is constant there, so its gradient is 0. Computing these descriptors"
                " costs as much as before and changes no weight, except through the statistics of"
                " batch normalisation.",
            ),
            Option(
                "They push each negative farther away.",
                "The loss asks for a margin, not for the largest distance. A negative beyond the"
                " margin is not pushed any more.",
            ),
        ),
        "b",
    ),
    Question(
        "fair-comparison",
        5,
        "One network is trained with random negatives and margin 1, another with the hardest"
        " negatives and margin 0.01. The second one is better. What have you shown?",
        (
            Option(
                "Hard negatives are better than random ones.",
                "The margin changed, too. With random negatives, a margin of 0.01 instead of 1"
                " alone raises matching from 0.135 to 0.311 in the table beyond-mining.",
            ),
            Option(
                "A small margin is better than a large one.",
                "The negatives changed, too, so the difference cannot be credited to the margin"
                " alone.",
            ),
            Option(
                "The second combination is better here. Which of its two parts helps is open.",
                "Two things changed at once. Change one at a time, with several seeds: then the"
                " difference has one possible cause, and you know how large chance is.",
            ),
        ),
        "c",
    ),
    Question(
        "loss-at-margin",
        5,
        "With HardNet's loss and margin 1, the training loss of your network has stayed between"
        " 0.99 and 1.01 for three epochs. Has it collapsed?",
        (
            Option(
                "Yes: the loss equals the margin.",
                "The loss is the margin wherever positive and hardest negative are equally far"
                " away, at distance 0.07 as well as at 0. The healthy network of this lesson has a"
                " loss of 1.007.",
            ),
            Option(
                "The loss cannot tell: look at the distances between descriptors.",
                "margin + positive - negative is near 1 for distances of 0.07 and 0.06, whose order"
                " can be right for most patches, and for 0 and 0, where there is none. The distances"
                " differ, the loss hardly does.",
            ),
            Option(
                "No: a collapsed network has loss 0.",
                "If all descriptors are equal, both distances are 0, and the loss is margin + 0 -"
                " 0, which is 1. Loss 0 needs negatives that are farther away by the margin.",
            ),
            Option(
                "No: the validation score would be 0.",
                "A score depends on the order of the distances, however small they are: the"
                " collapsed TFeat of this lesson still has a matching mAP of 0.052.",
            ),
        ),
        "b",
    ),
)
