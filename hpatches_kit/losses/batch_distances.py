"""Distances between the descriptors of a batch, and which of them are negatives."""

from keras import ops

from hpatches_kit._support.errors import UserError

SMALLEST = 1e-6  # of a squared distance; the slope of the square root is infinite at 0
FAR = 10.0  # descriptors of length 1 are at most 2 apart


def check_rows(batch, each, batches):
    """UserError when the rows of a batch cannot be those that these batches have."""
    rows = batch.shape[0]  # None where a compiled step takes batches of any size
    if rows is not None and rows % each:
        raise UserError(
            f"A batch of shape {tuple(batch.shape)}: expected a multiple of {each} rows, as"
            f" hk.batches.{batches} has them."
        )


def length(vectors):
    """Euclidean lengths along the last axis, with a gradient of 0 at 0: `(..., dim)` -> `(...)`."""
    return ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=-1), SMALLEST**2))


def pairs_of(descriptors):
    """Anchors and positives of a batch, float32 `(pairs, dim)` each."""
    descriptors = ops.cast(descriptors, "float32")
    return descriptors[::2], descriptors[1::2]


def of_unit_vectors(a, b):
    """Euclidean distances of descriptors of length 1: `(n, dim)` and `(m, dim)` -> `(n, m)`.

    By the law of cosines (report A, equation 5), in float32: half precision knows no distance below
    0.04, and neither does a GPU that multiplies float32 matrices in fewer digits. So this is for
    negatives; `length` is exact. Distances below 0.001 count as 0.001 and have no gradient.
    """
    cosine = ops.matmul(ops.cast(a, "float32"), ops.transpose(ops.cast(b, "float32")))
    return ops.sqrt(ops.maximum(2.0 - 2.0 * cosine, SMALLEST))


def same_place(labels):
    """Which pairs of a batch show one place: labels `(2 * pairs,)` -> booleans `(pairs, pairs)`."""
    check_rows(labels, 2, "Pairs")
    label = ops.reshape(labels, (-1,))[::2]
    return label[:, None] == label[None, :]


def hardest(distances, same, axis=1):
    """The smallest distance to another place, of each row (`axis=1`) or column (`axis=0`)."""
    return ops.min(ops.where(same, FAR, distances), axis=axis)


def hardest_of_all(labels, descriptors):
    """What HardNet's successors compare: each pair with the nearest row of any other pair.

    Returns:
        `(positive, negative)`, distances `(pairs,)` each; the negative is the nearest of anchor to
        positive, positive to anchor, anchor to anchor and positive to positive.
    """
    same, (a, p) = same_place(labels), pairs_of(descriptors)
    between, anchors, positives = (of_unit_vectors(*two) for two in ((a, p), (a, a), (p, p)))
    nearest = ops.minimum(hardest(between, same, 0), hardest(between, same, 1))
    nearest = ops.minimum(nearest, hardest(anchors, same))
    return length(a - p), ops.minimum(nearest, hardest(positives, same))
