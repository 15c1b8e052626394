"""Questions of lesson 7."""

from hpatches_kit.course.questions.asking import Option, Question

QUESTIONS = (
    Question(
        "mutual-or-not",
        7,
        "Why are pairs kept only if each point is the nearest of the other?",
        (
            Option(
                "A point that only the first picture shows has a nearest neighbour in the second, too.",
                "the nearest neighbour always exists, even for a point outside of the other picture;"
                " that it points back is a cheap sign that the match is real.",
            ),
            Option(
                "It makes the search faster.",
                "it costs a second minimum over the same distances; what it removes is wrong matches.",
            ),
            Option(
                "Distances differ in the two directions.",
                "the Euclidean distance is the same both ways; what differs is who is nearest.",
            ),
        ),
        "a",
    ),
    Question(
        "ransac-needs",
        7,
        "Of 700 matches 12 agree on one homography, although the pictures show the same wall. What do"
        " you check first?",
        (
            Option(
                "Whether the descriptor was trained for long enough.",
                "even pixels as descriptor give more inliers on two pictures of one wall; a dozen of"
                " 700 is what chance gives.",
            ),
            Option(
                "Whether x and y are in the same order in both lists of points.",
                "images are indexed [row, column], that is [y, x]; keypoints are x before y. Swapped"
                " coordinates leave about as many inliers as chance.",
            ),
            Option(
                "Whether the threshold of 3 pixels is too large.",
                "a larger threshold gives more inliers, not fewer.",
            ),
        ),
        "b",
    ),
    Question(
        "flat-scenes",
        7,
        "Two pictures of a street, taken from two places. Why do the matches on near and far things not"
        " fit one homography?",
        (
            Option(
                "A homography cannot turn the picture.",
                "turning a picture is a homography, too.",
            ),
            Option(
                "The pictures differ in brightness.",
                "a homography maps positions; brightness does not change them.",
            ),
            Option(
                "Near things move more than far ones: only a plane, or a camera that only turns, gives one.",
                "the shift between the pictures depends on the distance. For other scenes use"
                ' `geometry="fundamental"`, which maps points to lines.',
            ),
        ),
        "c",
    ),
)
