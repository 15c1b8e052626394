"""Local maxima of a detector's response, over position or over position and scale."""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled


def local_maxima(response, threshold, reach):
    """Return the local maxima of `(scales, height, width)`, `int (maxima, 3)`, greatest first.

    They are those of `skimage.feature.peak_local_max`, found five times as fast.

    Args:
        response: what to search.
        threshold: maxima are greater than this.
        reach: a maximum is not less than any neighbour up to this distance, one for each axis. Of
            equal maxima nearer than this, the first is kept.
    """
    places = np.argwhere(_are_maxima(response, threshold, *reach))
    order = np.argsort(-response[tuple(places.T)], kind="stable")
    return _keep_apart(places[order], response.shape, *reach)


@compiled()
def _are_maxima(response, threshold, reach_k, reach_y, reach_x):
    depth, height, width = response.shape
    result = np.zeros(response.shape, np.bool_)
    for k in range(depth):
        for y in range(height):
            for x in range(width):
                if response[k, y, x] > threshold:
                    result[k, y, x] = _is_maximum(response, k, y, x, reach_k, reach_y, reach_x)
    return result


@compiled()
def _is_maximum(response, k, y, x, reach_k, reach_y, reach_x):
    depth, height, width = response.shape
    value = response[k, y, x]
    for near_k in range(max(k - reach_k, 0), min(k + reach_k + 1, depth)):
        for near_y in range(max(y - reach_y, 0), min(y + reach_y + 1, height)):
            for near_x in range(max(x - reach_x, 0), min(x + reach_x + 1, width)):
                if response[near_k, near_y, near_x] > value:
                    return False
    return True


@compiled()
def _keep_apart(places, shape, reach_k, reach_y, reach_x):
    """Drop each place that is nearer than `reach` to one kept before."""
    kept, keep = np.zeros(shape, np.bool_), np.zeros(len(places), np.bool_)
    # A reach of 0 or 1 leaves nothing nearer than it but the place itself.
    near_k, near_y, near_x = max(reach_k, 1), max(reach_y, 1), max(reach_x, 1)
    for row in range(len(places)):
        k, y, x = places[row]
        near = kept[
            max(k - near_k + 1, 0) : k + near_k,
            max(y - near_y + 1, 0) : y + near_y,
            max(x - near_x + 1, 0) : x + near_x,
        ]
        keep[row] = kept[k, y, x] = not near.any()
    return places[keep]
