"""Questions of lesson 2."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "noise-of-neighbours",
        2,
        "Noise is added at 65x65 pixels, then the patch shrinks to 32x32. What is true of the noise"
        " at 32x32?",
        (
            Option(
                "Neighbouring pixels have similar noise, because shrinking blurs.",
                "It would be true if pixels shared what they read. 65 / 32 is a little over 2, so the"
                " two pixels that one new pixel reads along an axis are read by no other: the noise"
                " of neighbours is independent.",
            ),
            Option(
                "It has a standard deviation of 25 in every pixel if sigma is 25.",
                "Shrinking averages, and the average of independent noise is weaker: 24.2 in the"
                " middle, where one pixel has almost all the weight, and 12.5 in the corners, where"
                " four count nearly the same.",
            ),
            Option(
                "Each pixel has noise of its own, and the middle has more than the corners.",
                "No two pixels share a pixel of the large patch, so their noise is independent. The"
                " weights of the average change over the patch, from 63/64 and 1/64 in the middle to"
                " nearly one half each at the edge.",
            ),
        ),
        "c",
    ),
    Question(
        "points-per-sequence",
        2,
        "To save time you score matching on 50 random points of each sequence instead of 1,300. What"
        " happens to the score?",
        (
            Option(
                "It is about the same, but less precise.",
                "Sampling would do that if points were scored alone. In matching, the other points"
                " of a sequence are the wrong answers, and there are now fewer of them.",
            ),
            Option(
                "It rises, because each point has fewer wrong answers to beat.",
                "A point has to be told from 49 others instead of 1,299. So scores are compared at"
                " equal numbers of points, and a test set is sampled by whole sequences.",
            ),
            Option(
                "It falls, because the descriptor sees less data.",
                "The descriptor is trained already, and describes each patch alone: it does not learn"
                " from the test set. What changes is the number of wrong answers.",
            ),
        ),
        "b",
    ),
    Question(
        "what-jitter-removes",
        2,
        "Why can no descriptor score perfectly on tough patches, even without pixel noise?",
        (
            Option(
                "They show a part of the scene that the reference does not show, and lack another.",
                "For half of the tough squares the overlap with the true square is below 0.6. What lies"
                " outside of it cannot be described from the other patch.",
            ),
            Option(
                "They have more pixel noise than easy patches.",
                "In N-HPatches they do, with sigma 45, but the question is about patches without pixel"
                " noise. Tough refers to how inaccurately the square was placed.",
            ),
            Option(
                "They are always rotated, and L2-Net has no invariance to rotation.",
                "A network learns to tolerate such rotations from pairs. It cannot learn what is not in"
                " the patch: a shifted square lacks a part of the scene.",
            ),
        ),
        "a",
    ),
)
