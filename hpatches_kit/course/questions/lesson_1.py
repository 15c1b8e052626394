"""Questions of lesson 1."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "denoiser-and-detail",
        1,
        "A denoiser raises the PSNR of a patch by 9 dB. Which statement follows?",
        (
            Option(
                "The fine texture of the patch is back.",
                "PSNR measures the mean squared error, and flat areas and edges decide it. Texture"
                " weaker than the noise may be lost while PSNR rises by 9 dB: compare the rows"
                " denoised and clean in the figure.",
            ),
            Option(
                "Its root mean squared error is about a third of what it was.",
                "6.02 dB halve the error. 9 dB divide the mean squared error by 10^0.9 = 7.9, and"
                " its root by 2.8. PSNR says nothing else, not even where the error is.",
            ),
            Option(
                "Its mean squared error is a ninth of what it was.",
                "Decibels are logarithmic: 10 dB mean a tenth of the mean squared error, and 9 dB"
                " mean 10^-0.9, an eighth. That 9 dB are close to a ninth is chance: 20 dB are a"
                " hundredth.",
            ),
            Option(
                "A descriptor will recognise it better.",
                "That is plausible, but it has to be measured: a denoiser may also remove details"
                " that distinguish a patch from others. This is why the benchmark scores descriptors,"
                " and not PSNR.",
            ),
        ),
        "b",
    ),
    Question(
        "one-place-twice",
        1,
        "By mistake, a batch of 64 pairs contains one place in two pairs, with two different labels."
        " What does the loss with hard negatives do?",
        (
            Option(
                "It gives this place twice the weight, and nothing else changes.",
                "It does more harm: pairs with other labels are negatives. The second pair of the"
                " place is a negative of the first, and probably the hardest.",
            ),
            Option(
                "It ignores the two pairs, as their distance is small.",
                "The reverse is true: hard negative mining selects exactly those negatives whose"
                " distance is small.",
            ),
            Option(
                "It pushes apart descriptors of the same place.",
                "The views of the other pair are taken for the nearest negatives, because they show the same"
                " place, so the gradient increases their distance: the place becomes its own"
                " negative. Hence places are drawn without replacement.",
            ),
        ),
        "c",
    ),
    Question(
        "three-sides",
        1,
        "You train five networks and keep the one with the best score. On which side do you choose"
        " it, and which score do you report?",
        (
            Option(
                "Choose on test, and report that score.",
                "The best of five scores is partly luck, and you report the luck with it: the score is"
                " too high. Test decides nothing.",
            ),
            Option(
                "Choose on validation, and report the validation score.",
                "The choice is right, but this score was used for it: the best of five on validation"
                " is too high, too.",
            ),
            Option(
                "Choose on train, and report the test score.",
                "Scores on train reward memory: the network that has learned its own patches by heart"
                " would win. The score of test is the right one to report.",
            ),
            Option(
                "Choose on validation, and report the test score.",
                "Validation has photographs that no network was trained on, so the choice is fair, and"
                " test decides nothing, so its score is not too high by luck.",
            ),
        ),
        "d",
    ),
)
