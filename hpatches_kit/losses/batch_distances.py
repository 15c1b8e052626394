"""Distances between the descriptors of a batch, and which rows are negatives of each other."""

from keras import ops

from hpatches_kit._support.errors import UserError

SMALLEST_NORM = 1e-6  # shorter vectors count as zero: the slope of the square root is infinite at 0
SMALLEST_SQUARED_DISTANCE = 1e-6  # of unit vectors by their cosine, for the same reason
NO_NEGATIVE = 10.0  # in place of the distance to a positive; unit vectors are at most 2 apart


def check_rows(batch, multiple, batch_class):
    """Raise UserError if the rows of a batch cannot come from this class of `hk.batches`."""
    rows = batch.shape[0]  # None if a compiled step accepts batches of any size
    if rows is not None and rows % multiple:
        raise UserError(
            f"A batch of shape {tuple(batch.shape)}: expected a multiple of {multiple} rows, as"
            f" from hk.batches.{batch_class}."
        )


def norm(vectors):
    """Euclidean norms along the last axis, with gradient 0 at 0: `(..., dim)` -> `(...)`."""
    squared = ops.sum(ops.square(vectors), axis=-1)
    floor = SMALLEST_NORM**2
    # `maximum` keeps the gradient of the root finite; `where` makes the norm exactly 0 at 0.
    return ops.where(squared > floor, ops.sqrt(ops.maximum(squared, floor)), 0.0)


def anchors_and_positives(descriptors):
    """The even and the odd rows of a batch, float32 `(pairs, dim)` each."""
    descriptors = ops.cast(descriptors, "float32")
    return descriptors[::2], descriptors[1::2]


def unit_vector_distances(a, b):
    """Euclidean distances of descriptors of unit norm: `(n, dim)` and `(m, dim)` -> `(n, m)`.

    They are computed from cosines (report A, equation 5). This is exact enough for negatives; for
    positives use the `norm` of the difference: distances below 0.001 become 0.001, with gradient 0,
    and if a GPU multiplies float32 matrices with fewer digits, those below 0.03 are inexact.
    """
    cosine = ops.matmul(ops.cast(a, "float32"), ops.transpose(ops.cast(b, "float32")))
    return ops.sqrt(ops.maximum(2.0 - 2.0 * cosine, SMALLEST_SQUARED_DISTANCE))


def same_place(labels):
    """Whether two pairs show one place: labels `(2 * pairs,)` -> booleans `(pairs, pairs)`."""
    check_rows(labels, 2, "Pairs")
    label = ops.reshape(labels, (-1,))[::2]
    return label[:, None] == label[None, :]


def hardest_negative(distances, same, axis=1):
    """The smallest distance to another place, per row (`axis=1`) or per column (`axis=0`)."""
    return ops.min(ops.where(same, NO_NEGATIVE, distances), axis=axis)


def positive_and_hardest_negative(labels, descriptors):
    """The distance of each pair, and from its two rows to the nearest row of another place.

    Returns `(positive, negative)`, `(pairs,)` each.
    """
    same, (anchors, positives) = same_place(labels), anchors_and_positives(descriptors)
    across = unit_vector_distances(anchors, positives)
    negative = ops.minimum(hardest_negative(across, same, 0), hardest_negative(across, same, 1))
    for rows in (anchors, positives):
        negative = ops.minimum(negative, hardest_negative(unit_vector_distances(rows, rows), same))
    return norm(anchors - positives), negative
