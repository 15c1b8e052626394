"""Questions of lesson 4."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "median-or-mean",
        4,
        "A network sees the same noisy patch ten times. The clean value of one pixel is 100 in six of"
        " them and 200 in four. Which prediction has the smallest mean absolute error (MAE), and which"
        " the smallest mean squared error (MSE)?",
        (
            Option(
                "140 for both, the mean",
                "For MAE, 140 costs (6 x 40 + 4 x 60) / 10 = 48, and 100 only 4 x 100 / 10 = 40. The"
                " mean is the best prediction for squared errors, not for absolute ones.",
            ),
            Option(
                "140 for MAE, 100 for MSE",
                "It is the other way round. For MSE, 140 costs 2,400 and 100 costs 4,000; for MAE, 140"
                " costs 48 and 100 costs 40.",
            ),
            Option(
                "100 for MAE, 140 for MSE",
                "The median, 100, has the smallest absolute error; the mean, 140, has the smallest"
                " squared error. PSNR is computed from squared errors: it favours the mean.",
            ),
            Option(
                "150 for both, halfway between the two values",
                "150 costs 50 and 2,500: both are larger than for the best predictions. How often each"
                " value occurs counts, too.",
            ),
        ),
        "c",
    ),
    Question(
        "loss-times-ten",
        4,
        "You multiply the loss by 10 and keep everything else. What changes with SGD, and what with"
        " Adam?",
        (
            Option(
                "With both, each step is ten times as large.",
                "With SGD, it is: its step is the learning rate times the gradient (with momentum, a"
                " sum of gradients). Adam divides by the size of recent gradients.",
            ),
            Option(
                "SGD takes steps ten times as large, Adam practically the same steps as before.",
                "Adam divides the mean of recent gradients by the root of their mean square: a factor"
                " of 10 cancels.",
            ),
            Option(
                "Nothing with either: the minimum of the loss remains in the same place.",
                "The minimum does remain where it is, but the way there changes: SGD's steps become"
                " ten times as large, and it may diverge.",
            ),
        ),
        "b",
    ),
    Question(
        "larger-batches",
        4,
        "All trainings of section 3 see the same number of patches, with the same learning rate. Why"
        " is the network that was trained with batches of 2,048 the worst?",
        (
            Option(
                "It made only 5 steps, where batches of 32 make 320.",
                "With the same patches, 64 times the batch size leaves one step in 64; and at the same"
                " learning rate these steps are not larger. It had just begun.",
            ),
            Option(
                "The gradient of a large batch is less exact.",
                "It is more exact: the mean over more patches has less variance. What is missing is"
                " the number of steps.",
            ),
            Option(
                "Large batches overfit, because they contain all patches at once.",
                "A network that overfits is good on its training patches. This one is worse than the"
                " noisy patches themselves after 5 steps: it has hardly been trained.",
            ),
        ),
        "a",
    ),
)
