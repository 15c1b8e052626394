"""Plain words about scores that do not mean what they seem to mean.

The official rules order ties by the list: in retrieval the positives stand first. Equal descriptors
for all patches, which describe nothing, so reach a retrieval mAP of 1.
"""

MANY_TIES = 0.01  # of all comparisons of a positive with a negative
ALIKE = 0.01  # mean distance between different points, over the mean length of a descriptor


class CollapseWarning(UserWarning):
    """The scores say more about ties than about the descriptors."""


def warnings(results):
    """Sentences about ties and about descriptors that are all alike; usually none.

    Args:
        results: `{"verification": .., "matching": .., "retrieval": ..}`, some or all.
    """
    found = []
    for task, result in results.items():
        official, neutral = result["mean_ap"], result["tie_neutral"]["mean_ap"]
        if result["ties"] > MANY_TIES or abs(official - neutral) > MANY_TIES:
            found.append(
                f"{task}: {100 * result['ties']:.1f} % of the comparisons are exact ties. The official"
                f" mean AP of {official:.3f} settles them by the order of the list; counted at their"
                f" expected position they give {neutral:.3f}."
            )
    spread = results.get("verification", {}).get("spread", 1)
    if spread < ALIKE:
        found.append(
            f"The descriptor has collapsed: two patches of different points are {spread:.2g} of a"
            " descriptor's length apart."
        )
    return found
