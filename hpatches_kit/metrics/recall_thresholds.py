"""Distances counted in bins, so that a threshold can be found when all batches have been seen."""

import math

from keras import ops

# Each bin ends 1.2 % farther than it begins: descriptors may have any length.
BINS, NEAREST, FARTHEST = 1600, 1e-4, 1e4


def histogram(distances, chosen):
    """How many of the chosen distances fall into each bin: `float32 (BINS,)`."""
    place = ops.log(ops.clip(distances, NEAREST, FARTHEST) / NEAREST)
    place = place * (BINS / math.log(FARTHEST / NEAREST))
    bins = ops.cast(ops.clip(place, 0, BINS - 1), "int32")
    bins = ops.reshape(ops.where(chosen, bins, BINS), (-1,))  # the others into a bin of their own
    return ops.segment_sum(ops.ones_like(bins, "float32"), bins, num_segments=BINS + 1)[:BINS]


def share_at_recall(positive, negative, recall):
    """Share of the negatives in the first bins that hold this share of the positives."""
    found = ops.cumsum(ops.convert_to_tensor(positive))
    below = ops.cumsum(ops.convert_to_tensor(negative))
    enough = found >= recall * found[-1]
    threshold = ops.argmax(ops.cast(enough, "int32"))  # the first
    return ops.take(below, threshold) / ops.maximum(below[-1], 1.0)
