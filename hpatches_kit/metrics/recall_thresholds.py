"""Histograms of distances, to find the threshold of a recall over all batches."""

import math

from keras import ops

# The bins are equal on a logarithmic scale, each 1.2 % wide, because descriptors may have any norm.
BINS, NEAREST, FARTHEST = 1600, 1e-4, 1e4


def histogram(distances, mask):
    """Count the distances where `mask` is true, by bin: `float32 (BINS,)`."""
    position = ops.log(ops.clip(distances, NEAREST, FARTHEST) / NEAREST)
    position = position * (BINS / math.log(FARTHEST / NEAREST))
    bins = ops.cast(ops.clip(position, 0, BINS - 1), "int32")
    bins = ops.reshape(ops.where(mask, bins, BINS), (-1,))  # the others go to an extra bin
    return ops.segment_sum(ops.ones_like(bins, "float32"), bins, num_segments=BINS + 1)[:BINS]


def fraction_at_recall(positive, negative, recall):
    """Fraction of the negatives in the first bins that contain this fraction of the positives."""
    positives, negatives = (ops.cumsum(ops.convert_to_tensor(x)) for x in (positive, negative))
    enough = positives >= recall * positives[-1]
    threshold = ops.argmax(ops.cast(enough, "int32"))  # the first bin with enough positives
    return ops.take(negatives, threshold) / ops.maximum(negatives[-1], 1.0)
