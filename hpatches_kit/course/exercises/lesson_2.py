"""Exercises of lesson 2: the noise of N-HPatches, and near-duplicates."""

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.lesson_2_duplicates import check_near_duplicates, near_duplicates
from hpatches_kit.course.exercises.lesson_2_noise import check_noisy_patches, noisy_patches

EXERCISES = (
    Exercise(
        "noisy_patches",
        2,
        noisy_patches,
        check_noisy_patches,
        (
            "Follow the order of the docstring: choose sigma, add noise to the large patches, round"
            " and clip them, and only then shrink them.",
            "The noise has the shape of the patches, (n, 65, 65): each pixel of each patch has its"
            " own. hk.patches.resize takes uint8 (n, 65, 65) and returns uint8 (n, 32, 32).",
            "noisy = patches + rng.normal(0, sigma, patches.shape)",
        ),
    ),
    Exercise(
        "near_duplicates",
        2,
        near_duplicates,
        check_near_duplicates,
        (
            "Two patches that differ in brightness and contrast alone are equal once each has mean 0"
            " and norm 1. Then compare all with all, and keep pairs with different labels.",
            "As rows of 1024 numbers the references are (points, 1024). With norm 1, the squared"
            " distance of two rows is 2 - 2 times their product: grey @ grey.T, (points, points).",
            "i, j = np.nonzero(np.triu((distance < tolerance) & other_place))",
        ),
    ),
)
