"""Mistakes in the exercises of lesson 5, and what the checks say of them."""

NETWORK = "l2net"
CONVOLUTION = 'keras.layers.Conv2D(filters, 3, strides, "same")(x)'
BATCH_NORM = "keras.layers.ReLU()(keras.layers.BatchNormalization()(x))"
LAST = "keras.layers.Conv2D(128, 8)(keras.layers.Dropout(0.3)(x))"
END = "keras.layers.UnitNormalization()(keras.layers.Flatten()(x))"
LOSS = "return keras.ops.relu(margin + d(anchor, positive) - d(anchor, negative))"
ROOT = "keras.ops.sqrt(keras.ops.maximum(2 - 2 * cosines, 1e-6))"
SAME = "keras.ops.where(same, 10.0, distances)"
RETURN = "return keras.ops.min(negatives, axis=1), keras.ops.min(negatives, axis=0)"
PERCENTILE = "np.percentile(row, q)"

PLANTED = (
    (NETWORK, "return keras.Model(patch, x)", "keras.Model(patch, x)", "is a `return` missing?"),
    (NETWORK, "return keras.Model(patch, x)", "return x", "expected a keras.Model"),
    (NETWORK, "keras.Input((32, 32, 1))", "keras.Input((64, 64, 1))", "expected (None, 32, 32, 1)"),
    (NETWORK, "(64, 2), (64, 1)", "(64, 1), (64, 2)", "layer 7 is a convolution of 3x3 with 64"),
    (NETWORK, "(128, 2)", "(128, 1)", "stride 1 and padding"),
    (NETWORK, "(32, 1), (32, 1), (64, 2)", "(32, 1), (64, 2)", "layer 4 is a convolution"),
    (
        NETWORK,
        ', "same")',
        ")",
        "too few pixels remain for the 8x8 convolution",
    ),
    (NETWORK, ', "same")', ', "same", activation="relu")', "layer 2 is ReLU: expected batch"),
    (NETWORK, ', "same")', ', "same", use_bias=False)', "without bias: expected"),
    (
        NETWORK,
        BATCH_NORM,
        "keras.layers.ReLU()(x)",
        "layer 2 is ReLU: expected batch normalisation",
    ),
    (NETWORK, BATCH_NORM, "keras.layers.BatchNormalization()(x)", "expected ReLU"),
    (
        NETWORK,
        "Dropout(0.3)",
        "Dropout(0.5)",
        "dropout with rate 0.5: expected dropout with rate 0.3",
    ),
    (NETWORK, "(keras.layers.Dropout(0.3)(x))", "(x)", "expected dropout with rate 0.3"),
    (NETWORK, "Conv2D(128, 8)", "Conv2D(128, 8, activation='relu')", "is ReLU: expected none"),
    (NETWORK, LAST, "keras.layers.Dropout(0.3)(x)", "it ends after 19 layers"),
    (NETWORK, LAST, "keras.layers.Dense(128)(keras.layers.Dropout(0.3)(x))", "is a layer Dense"),
    (NETWORK, END, "keras.layers.UnitNormalization()(x)", "Is Flatten missing?"),
    (NETWORK, END, "keras.layers.Flatten()(x)", "End with UnitNormalization"),
    (NETWORK, END, "keras.layers.Flatten()(keras.layers.UnitNormalization(axis=1)(x))", "has norm"),
    (
        NETWORK,
        "x = patch = keras.Input((32, 32, 1))",
        "patch = keras.Input((32, 32, 1))\n    x = patch / 255",
        "such as a division by 255",
    ),
    ("triplet_loss", LOSS, LOSS.replace("return ", ""), "is a `return` missing?"),
    ("triplet_loss", LOSS, LOSS.replace("relu(", "mean("), "expected one loss per triplet"),
    (
        "triplet_loss",
        LOSS,
        "return margin + d(anchor, positive) - d(anchor, negative)",
        "expected 0 or more",
    ),
    (
        "triplet_loss",
        "- d(anchor, negative)",
        "- d(positive, negative)",
        "measure it from the anchor",
    ),
    (
        "triplet_loss",
        "d(anchor, positive) - d(anchor, negative)",
        "d(anchor, negative) - d(anchor, positive)",
        "positive and negative are swapped",
    ),
    ("triplet_loss", "relu(margin + d", "relu(d", "the margin is missing"),
    ("triplet_loss", "relu(margin + d", "relu(-margin + d", "the margin has the wrong sign"),
    ("triplet_loss", "margin + d", "1.0 + d", "Is the margin fixed to 1?"),
    (
        "triplet_loss",
        "else keras.ops.sqrt(squared)",
        "else squared",
        'this is the loss of "squared"',
    ),
    (
        "triplet_loss",
        "keras.ops.mean(squares, axis=-1)",
        "keras.ops.sum(squares, axis=-1)",
        'with "mean_squared": this is the loss of "squared"',
    ),
    (
        "triplet_loss",
        "squared if distance",
        "keras.ops.mean(squares, axis=-1) if distance",
        'with "squared": this is the loss of "mean_squared"',
    ),
    (
        "triplet_loss",
        "keras.ops.sum(squares, axis=-1)",
        "keras.ops.sum(squares, axis=0)",
        "one number for each dimension",
    ),
    (
        "triplet_loss",
        "else keras.ops.sqrt(squared)",
        "else keras.ops.sqrt(keras.ops.mean(squares, axis=-1))",
        "the root of the mean",
    ),
    (
        "triplet_loss",
        "keras.ops.square(a - b)",
        "keras.ops.abs(keras.ops.square(a) - keras.ops.square(b))",
        "subtract before you square",
    ),
    ("triplet_loss", "keras.ops.square(a - b)", "keras.ops.abs(a - b)", "expected 1 + "),
    ("distances", "return ", "", "is a `return` missing?"),
    (
        "distances",
        ROOT,
        "keras.ops.sqrt(2 - 2 * cosines)",
        "take the maximum with a small positive",
    ),
    (
        "distances",
        ROOT,
        "keras.ops.sqrt(keras.ops.maximum(2 - 2 * cosines, 0))",
        "the weights are NaN",
    ),
    ("distances", ROOT, "keras.ops.sqrt(keras.ops.abs(2 - 2 * cosines))", "the weights are NaN"),
    ("distances", ROOT, "keras.ops.maximum(2 - 2 * cosines, 1e-6)", "the root is missing"),
    ("distances", ROOT, "cosines", "these are cosines"),
    ("distances", "2 - 2 * cosines", "1 - cosines", "the factor 2 is missing"),
    ("distances", "2 - 2 * cosines", "2 + 2 * cosines", "the cosine has the wrong sign"),
    ("distances", "1e-6", "0.01", "0.100 apart: expected at most 0.01"),
    ("distances", "1e-6", "0.001", "The number under the root is too large"),
    (
        "distances",
        "keras.ops.transpose(positives)",
        "keras.ops.transpose(anchors)",
        "has shape (2, 2)",
    ),
    (
        "distances",
        "return " + ROOT,
        "return np.sqrt(np.maximum(2 - 2 * np.array(cosines), 1e-6))",
        "use keras.ops instead of NumPy",
    ),
    ("hardest_negatives", RETURN, RETURN.replace("return ", ""), "is a `return` missing?"),
    ("hardest_negatives", RETURN, "return keras.ops.min(negatives, axis=1)", "expected two"),
    ("hardest_negatives", SAME, "distances", "your nearest negative is the positive"),
    (
        "hardest_negatives",
        SAME,
        "keras.ops.where(keras.ops.eye(len(labels), dtype=bool), 10.0, distances)",
        "pairs 0 and 2 show one place",
    ),
    (
        "hardest_negatives",
        SAME,
        "keras.ops.where(same, 0.0, distances)",
        "all descriptors are equal: collapse",
    ),
    (
        "hardest_negatives",
        SAME,
        "keras.ops.where(same, 1.0, distances)",
        "put a number larger than 2",
    ),
    (
        "hardest_negatives",
        RETURN,
        "return keras.ops.min(negatives, axis=0), keras.ops.min(negatives, axis=1)",
        "rows and columns are swapped",
    ),
    (
        "hardest_negatives",
        RETURN,
        RETURN.replace("ops.min", "ops.argmin"),
        "Use min instead of argmin",
    ),
    ("hardest_negatives", RETURN, RETURN.replace("axis=0", "axis=1"), "the column of pair 0"),
    (
        "hardest_negatives",
        "10.0, distances)\n    " + RETURN,
        "-1.0, distances)\n    " + RETURN.replace("ops.min", "ops.max"),
        "the easiest: the hardest is the nearest",
    ),
    (
        "hardest_negatives",
        "negatives = " + SAME,
        "np.fill_diagonal(distances, 10)\n    negatives = " + SAME,
        "it changes the matrix",
    ),
    (
        "hardest_negatives",
        RETURN,
        "return [keras.ops.min(negatives)], [keras.ops.min(negatives)]",
        "expected (3,)",
    ),
    ("percentile_negatives", "return ", "", "is a `return` missing?"),
    ("percentile_negatives", "row[labels != label]", "row", "diagonal not excluded"),
    (
        "percentile_negatives",
        "for row in rows])",
        "for row in rows]).mean()",
        "expected one per row",
    ),
    ("percentile_negatives", PERCENTILE, "np.percentile(row, q / 100)", "Do not divide it by 100"),
    ("percentile_negatives", PERCENTILE, "np.percentile(row, 100 - q)", "Sort from small to large"),
    (
        "percentile_negatives",
        PERCENTILE,
        "np.percentile(row, q, method='lower')",
        "Interpolate linearly",
    ),
    (
        "percentile_negatives",
        PERCENTILE,
        "np.sort(row)[int(q / 100 * len(row))]",
        "Interpolate linearly",
    ),
    (
        "percentile_negatives",
        "zip(np.asarray(distances)",
        "zip(np.asarray(distances).T",
        "negatives of the columns",
    ),
    (
        "percentile_negatives",
        "row[labels != label] for row, label in zip(np.asarray(distances), labels)",
        "np.delete(row, k) for k, row in enumerate(np.asarray(distances))",
        "Exclude all entries with equal labels",
    ),
    (
        "percentile_negatives",
        "row[labels != label] for row",
        "np.where(labels == label, 9, row) for row",
        "still counts as a value",
    ),
    ("percentile_negatives", PERCENTILE, "np.percentile(row, max(q, 1))", "expected its nearest"),
    ("percentile_negatives", PERCENTILE, "np.percentile(row, 50 if q else 0)", "q = 10 gives 0.5"),
)

ALSO_RIGHT = (
    (
        "l2net",
        """
def l2net():
    model = keras.Sequential()
    for filters, strides in zip((32, 32, 64, 64, 128, 128), (1, 1, 2, 1, 2, 1)):
        model.add(keras.layers.Conv2D(filters, (3, 3), strides=strides, padding="same"))
        model.add(keras.layers.BatchNormalization(momentum=0.9))
        model.add(keras.layers.Activation("relu"))
    model.add(keras.layers.Dropout(0.3))
    model.add(keras.layers.Conv2D(128, 8))
    model.add(keras.layers.Reshape((128,)))
    model.add(keras.layers.UnitNormalization())
    return model
""",
    ),
    (
        "l2net",
        """
def block(x, filters, strides=1):
    x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", kernel_initializer="he_normal")(x)
    return keras.ops.relu(keras.layers.BatchNormalization()(x))

def l2net():
    patch = keras.Input(shape=(32, 32, 1), name="patch")
    x = block(block(patch, 32), 32)
    x = block(block(x, 64, 2), 64)
    x = block(block(x, 128, 2), 128)
    x = keras.layers.Conv2D(128, (8, 8), padding="valid")(keras.layers.Dropout(0.3)(x))
    return keras.Model(patch, keras.layers.Flatten()(keras.layers.UnitNormalization()(x)), name="mine")
""",
    ),
    (
        "l2net",
        """
def l2net():
    return hk.models.l2net()
""",
    ),
    (
        "triplet_loss",
        """
def triplet_loss(anchor, positive, negative, distance, margin=1.0):
    losses = []
    for a, p, n in zip(np.asarray(anchor), np.asarray(positive), np.asarray(negative)):
        if distance == "euclidean":
            ap, an = np.linalg.norm(a - p), np.linalg.norm(a - n)
        else:
            average = np.sum if distance == "squared" else np.mean
            ap, an = average((a - p) ** 2), average((a - n) ** 2)
        losses.append(max(0, margin + ap - an))
    return losses
""",
    ),
    (
        "triplet_loss",
        """
def triplet_loss(anchor, positive, negative, distance, margin=1.0):
    difference = keras.ops.stack([anchor - positive, anchor - negative])
    near, far = {
        "euclidean": keras.ops.norm(difference, axis=-1),
        "squared": keras.ops.sum(difference**2, axis=-1),
        "mean_squared": keras.ops.mean(difference**2, axis=-1),
    }[distance]
    return keras.ops.maximum(near - far + margin, 0.0)
""",
    ),
    (
        "distances",
        """
def distances(anchors, positives):
    return keras.ops.sqrt(keras.ops.clip(2 * (1 - anchors @ keras.ops.transpose(positives)), 1e-7, 4))
""",
    ),
    (
        "distances",
        """
def distances(anchors, positives):
    difference = anchors[:, None] - positives[None, :]
    return keras.ops.sqrt(keras.ops.sum(difference**2, axis=-1) + 1e-6)
""",
    ),
    (
        "distances",
        """
def distances(anchors, positives):
    squared = 2 - 2 * keras.ops.einsum("ik,jk->ij", anchors, positives)
    safe = keras.ops.where(squared > 1e-8, squared, 1.0)
    return keras.ops.where(squared > 1e-8, keras.ops.sqrt(safe), 0.0)
""",
    ),
    (
        "hardest_negatives",
        """
def hardest_negatives(distances, labels):
    masked = np.where(np.equal.outer(labels, labels), np.inf, distances)
    return masked.min(1), masked.min(0)
""",
    ),
    (
        "hardest_negatives",
        """
def hardest_negatives(distances, labels):
    rows, columns = [], []
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if labels[j] != labels[i]]
        rows.append(min(distances[i][j] for j in others))
        columns.append(min(distances[j][i] for j in others))
    return np.array([rows, columns])
""",
    ),
    (
        "percentile_negatives",
        """
def percentile_negatives(distances, labels, q):
    found = []
    for i, row in enumerate(distances):
        negatives = sorted(d for d, label in zip(row, labels) if label != labels[i])
        position = q / 100 * (len(negatives) - 1)
        below = int(position)
        above = min(below + 1, len(negatives) - 1)
        found.append(negatives[below] + (position - below) * (negatives[above] - negatives[below]))
    return keras.ops.convert_to_tensor(found)
""",
    ),
    (
        "percentile_negatives",
        """
def percentile_negatives(distances, labels, q):
    same = np.asarray(labels)[:, None] == np.asarray(labels)
    return np.nanquantile(np.where(same, np.nan, distances), q / 100, axis=1)
""",
    ),
)
