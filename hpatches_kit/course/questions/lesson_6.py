"""Questions of lesson 6."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "small-steps",
        6,
        "Fine-tuning begins with trained weights. Why with a smaller learning rate?",
        (
            Option(
                "Large steps change the weights so much that what the first training found is lost.",
                "The weights are already near a good solution. Small steps adapt them to the new"
                " patches and stay near it.",
            ),
            Option(
                "The copy has fewer trainable weights, and fewer weights need smaller steps.",
                "The copy has the same layers and as many trainable weights as the original.",
            ),
            Option(
                "Smaller steps reach the minimum in fewer epochs.",
                "Smaller steps need more epochs for the same way. They pay because the way is short.",
            ),
            Option(
                "Denoised patches have a smaller range of grey levels, so gradients are smaller.",
                "Both kinds have the grey levels 0..255, and L2-Net standardises each patch. The reason"
                " lies in the weights, not in the patches.",
            ),
        ),
        "a",
    ),
    Question(
        "one-run",
        6,
        'In matching, "trained on denoised" has 0.465 and "clean, then denoised" 0.457, one run each.'
        " What follows?",
        (
            Option(
                "Fine-tuning lowers the score by 0.008.",
                "That is the difference of two runs. Another seed changes each of them, and may turn"
                " the order around.",
            ),
            Option(
                "The intervals in the chart show how much another seed would change a score.",
                "They show the choice of the test sequences. The training was the same one each time.",
            ),
            Option(
                "Which of the two is better is open: several seeds of both would tell.",
                "One run of each is one draw of each. With several seeds, compare the mean difference"
                " with how much the differences vary: this is an exercise of lesson 8.",
            ),
            Option(
                "Both are equally good, because 0.008 is small.",
                "0.008 may be chance, and it may be an effect. One run of each tells neither that they"
                " differ nor that they are equal.",
            ),
        ),
        "c",
    ),
    Question(
        "psnr-and-matching",
        6,
        "End to end, the PSNR of the denoiser, with brightness and contrast fitted, falls from 31.8 to"
        " 28.6 dB, and matching is about as high as with the separate denoiser. How can both be true?",
        (
            Option(
                "A lower PSNR makes patches easier to match.",
                "Then noisy patches, at 23.9 dB, would be the easiest. The lower PSNR is not the cause:"
                " it is what is left when another loss decides.",
            ),
            Option(
                "The descriptor loss rewards what tells places apart, and does not compare with the"
                " clean patch.",
                "PSNR weighs all pixels alike. The descriptor loss weighs what changes descriptors, and"
                " accepts errors that do not matter to them.",
            ),
            Option(
                "The denoiser is overfitted: it learned the noise of the training patches.",
                "The PSNR falls because no loss asks for it any more. Whether noise was learned by heart"
                " would show in the PSNR of training patches, which is not computed here.",
            ),
            Option(
                "The PSNR is wrong, because the output has left the grey levels.",
                "As it is, the output has 5.1 dB for this reason. 28.6 dB is measured after brightness"
                " and contrast are fitted to the clean patch.",
            ),
        ),
        "b",
    ),
)
