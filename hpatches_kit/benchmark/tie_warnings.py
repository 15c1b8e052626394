"""Warnings about misleading scores: many ties, and collapsed descriptors.

The official code breaks ties by the order of the list, and retrieval lists the positives first. So
descriptors that are equal for all patches, which describe nothing, have a retrieval mAP of 1.
"""

MAX_TIES = 0.01  # fraction of the comparisons of a positive with a negative
MIN_SPREAD = 0.01  # mean distance of different points, divided by the mean norm of a descriptor


class CollapseWarning(UserWarning):
    """The scores depend more on ties than on the descriptors."""


def tie_warnings(results):
    """Sentences about ties and about collapsed descriptors; usually none.

    Args:
        results: `{"verification": {...}, "matching": {...}, "retrieval": {...}}`, or some of them.
    """
    sentences = []
    for task, result in results.items():
        official, neutral = result["mean_ap"], result["tie_neutral"]["mean_ap"]
        if result["ties"] > MAX_TIES or abs(official - neutral) > MAX_TIES:
            sentences.append(
                f"{task}: {100 * result['ties']:.1f} % of the comparisons are exact ties."
                f" The official mean AP of {official:.3f} breaks them by the order of the list;"
                f" counted at their expected position, they give {neutral:.3f}."
            )
    spread = results.get("verification", {}).get("spread", 1)
    if spread < MIN_SPREAD:
        sentences.append(
            "The descriptor has collapsed: the mean distance of different points is only"
            f" {spread:.2g} times the norm of a descriptor."
        )
    return sentences
